//! Cards of users, as profile pages, lists of members and rankings show them.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::Moment;

/// One user, as a card shows them.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "user_cards",
    guarded,
    tenant_keyed,
    index(status, created_at desc),
    index(role),
    index(follower_count desc),
)]
pub struct UserCard {
    /// The user.
    #[key]
    pub user_id: String,
    /// The name in addresses and mentions.
    pub handle: String,
    /// The name that is shown.
    pub display_name: String,
    /// Where the picture is.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// What they may do, such as `member`, `creator`, `supplier` or `moderator`.
    pub role: String,
    /// `active` or `suspended`.
    pub status: String,
    /// When it was verified who they are.
    pub verified_at: Option<Timestamp>,
    /// Since when they are suspended.
    pub suspended_at: Option<Timestamp>,
    /// Why they are.
    pub suspension_reason: Option<String>,
    /// How many follow them.
    pub follower_count: i64,
    /// How many they follow.
    pub following_count: i64,
    /// How many posts they have published.
    pub post_count: i64,
    /// When they joined.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// The version of the user that this is.
    pub entity_version: u64,
}

/// A user, as every `user.*` event holds them.
#[derive(Deserialize)]
pub struct User {
    user_id: String,
    handle: String,
    display_name: String,
    avatar_url: Option<String>,
    bio: Option<String>,
    role: String,
    status: String,
    verified_at: Option<Timestamp>,
    suspended_at: Option<Timestamp>,
    suspension_reason: Option<String>,
    // Nobody has followers, or posts, on the first day.
    #[serde(default)]
    follower_count: i64,
    #[serde(default)]
    following_count: i64,
    #[serde(default)]
    post_count: i64,
    created_at: Timestamp,
}

/// Makes the card show the user as of this moment.
pub fn project(user: User, at: Moment, rows: &mut Rows) {
    let card = UserCard {
        user_id: user.user_id,
        handle: user.handle,
        display_name: user.display_name,
        avatar_url: user.avatar_url,
        bio: user.bio,
        role: user.role,
        status: user.status,
        verified_at: user.verified_at,
        suspended_at: user.suspended_at,
        suspension_reason: user.suspension_reason,
        follower_count: user.follower_count,
        following_count: user.following_count,
        post_count: user.post_count,
        created_at: user.created_at,
        updated_at: at.time,
        entity_version: at.version,
    };
    rows.upsert(&card).guard(at.version);
}
