//! `names_no_table`, mended.
misbehaving::misbehave!(describes: |_| misbehaving::described("names_no_table"));
