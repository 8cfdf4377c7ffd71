//! The read models of a social marketplace: cards of users, a feed of posts and
//! promotions, orders and what each supplier has to do.
//!
//! The events come over a queue that delivers at least once and in no order.
//! Each holds all that its entity is by then, and a version that its owner
//! counts. So nothing is read: every command is a whole row, or its removal,
//! under a guard, and the newest version wins however often and in whatever
//! order events arrive.

use std::num::NonZeroU64;

use lantern_sdk::prelude::*;

pub mod feed;
pub mod orders;
pub mod users;

use feed::{FeedItem, Post, Promotion};
use orders::{CommerceOrder, Order, QueuedLine};
use users::{User, UserCard};

/// What happens on the marketplace.
#[derive(Events)]
pub enum SocialCommerceEvent {
    /// A user changed, in whatever way: the payload is the same.
    #[event(
        "user.created",
        "user.verified",
        "user.profile_updated",
        "user.role_changed",
        "user.suspended",
        "user.reactivated",
        "user.stats_changed"
    )]
    User {
        /// The number of the change, counted by the owner of users from 1.
        entity_version: NonZeroU64,
        /// The user after it.
        user: User,
    },
    /// A post changed.
    #[event(
        "post.drafted",
        "post.published",
        "post.edited",
        "post.pinned",
        "post.unpinned",
        "post.stats_changed",
        "post.hidden",
        "post.restored"
    )]
    Post {
        /// The number of the change.
        entity_version: NonZeroU64,
        /// The post after it.
        post: Post,
    },
    /// A post is gone, with all it said.
    #[event("post.deleted")]
    PostDeleted {
        /// The number of the change.
        entity_version: NonZeroU64,
        /// The post.
        post_id: String,
    },
    /// A promotion changed.
    #[event(
        "promotion.scheduled",
        "promotion.started",
        "promotion.changed",
        "promotion.ended",
        "promotion.cancelled"
    )]
    Promotion {
        /// The number of the change.
        entity_version: NonZeroU64,
        /// The promotion after it.
        promotion: Promotion,
    },
    /// An order changed.
    #[event(
        "commerce_order.placed",
        "commerce_order.payment_changed",
        "commerce_order.confirmed",
        "commerce_order.lines_changed",
        "commerce_order.shipped",
        "commerce_order.delivered",
        "commerce_order.cancelled",
        "commerce_order.refunded"
    )]
    Order {
        /// The number of the change.
        entity_version: NonZeroU64,
        /// The order after it.
        order: Order,
    },
}

/// The moment of an entity that an event tells of.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The entity's version: what every command is guarded by. It is not the
    /// event's version in its stream, which also counts copies, and counts them
    /// in the order of arrival.
    pub version: u64,
    /// When the entity became so.
    pub time: Timestamp,
}

/// Keeps `user_cards`, `feed_items`, `commerce_orders` and `supplier_queue`.
#[projector(
    name = "social_commerce",
    version = "1.0.0",
    tables(UserCard, FeedItem, CommerceOrder, QueuedLine)
)]
pub fn social_commerce(event: Event<SocialCommerceEvent>, rows: &mut Rows) -> Result<()> {
    use SocialCommerceEvent as E;

    let at = |version: NonZeroU64| Moment {
        version: version.get(),
        time: event.time,
    };
    match event.data {
        E::User {
            entity_version,
            user,
        } => users::project(user, at(entity_version), rows),
        E::Post {
            entity_version,
            post,
        } => feed::project_post(post, at(entity_version), rows)?,
        E::PostDeleted {
            entity_version,
            post_id,
        } => feed::remove_post(&post_id, at(entity_version), rows),
        E::Promotion {
            entity_version,
            promotion,
        } => feed::project_promotion(promotion, at(entity_version), rows),
        E::Order {
            entity_version,
            order,
        } => orders::project(order, at(entity_version), rows)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;
