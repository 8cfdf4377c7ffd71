//! `loops`, mended.
misbehaving::misbehave!(describes: |_| misbehaving::described("loops"));
