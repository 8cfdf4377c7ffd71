//! The feed: posts and promotions in one table, so that a page of it is one
//! scan of one index.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::Moment;

/// One item of the feed. Drafts, hidden posts and promotions that do not run
/// are not in it.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "feed_items",
    guarded,
    tenant_keyed,
    // The feeds of all, of a community and of an author; what is pinned.
    index(published_at desc),
    index(community_id, published_at desc),
    index(author_id, published_at desc),
    index(pinned, published_at desc),
)]
pub struct FeedItem {
    /// The post or the promotion.
    #[key]
    pub source_id: String,
    /// `post` or `promotion`: they are numbered apart, so that one of each may
    /// have the same id.
    #[key]
    pub item_type: String,
    /// The user who wrote it, or the supplier who promotes.
    pub author_id: String,
    /// The community it was posted to, if any.
    pub community_id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// The products it shows.
    pub product_ids: Json<Vec<String>>,
    /// Whether it stands above the others.
    pub pinned: bool,
    /// How many reacted to it.
    pub reaction_count: i64,
    /// How many commented on it.
    pub comment_count: i64,
    /// What a promotion takes off the price.
    pub discount_percent: Option<i64>,
    /// When a promotion will end.
    pub ends_at: Option<Timestamp>,
    /// When it came into the feed.
    pub published_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// The version of the post or promotion that this is.
    pub entity_version: u64,
}

/// A post, as `post.*` events hold it.
#[derive(Deserialize)]
pub struct Post {
    post_id: String,
    author_id: String,
    community_id: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    reaction_count: i64,
    #[serde(default)]
    comment_count: i64,
    status: String,
    published_at: Option<Timestamp>,
}

/// A promotion, as `promotion.*` events hold it.
#[derive(Deserialize)]
pub struct Promotion {
    promotion_id: String,
    supplier_id: String,
    community_id: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
    #[serde(default)]
    pinned: bool,
    discount_percent: Option<i64>,
    status: String,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
}

const POST: &str = "post";
const PROMOTION: &str = "promotion";

/// Makes the feed show the post as of this moment, or not at all.
///
/// # Errors
///
/// Fails on a post that is published and does not say since when.
pub fn project_post(post: Post, at: Moment, rows: &mut Rows) -> Result<()> {
    if post.status != "published" {
        remove_post(&post.post_id, at, rows);
        return Ok(());
    }
    let Some(published_at) = post.published_at else {
        bail!(
            "post `{}` is published, but has no `published_at`",
            post.post_id
        );
    };
    let item = FeedItem {
        source_id: post.post_id,
        item_type: POST.into(),
        author_id: post.author_id,
        community_id: post.community_id,
        title: post.title,
        body: post.body,
        product_ids: Json(post.product_ids),
        pinned: post.pinned,
        reaction_count: post.reaction_count,
        comment_count: post.comment_count,
        discount_percent: None,
        ends_at: None,
        published_at,
        updated_at: at.time,
        entity_version: at.version,
    };
    rows.upsert(&item).guard(at.version);
    Ok(())
}

/// Takes a post out of the feed. What is older cannot bring it back: the host
/// remembers the version of what is deleted, even where there was nothing yet.
pub fn remove_post(post_id: &str, at: Moment, rows: &mut Rows) {
    rows.delete(FeedItem::key(post_id, POST)).guard(at.version);
}

/// Makes the feed show the promotion as of this moment, or not at all.
pub fn project_promotion(promotion: Promotion, at: Moment, rows: &mut Rows) {
    if promotion.status != "running" {
        rows.delete(FeedItem::key(&promotion.promotion_id, PROMOTION))
            .guard(at.version);
        return;
    }
    let item = FeedItem {
        source_id: promotion.promotion_id,
        item_type: PROMOTION.into(),
        author_id: promotion.supplier_id,
        community_id: promotion.community_id,
        title: promotion.title,
        body: promotion.body,
        product_ids: Json(promotion.product_ids),
        pinned: promotion.pinned,
        reaction_count: 0,
        comment_count: 0,
        discount_percent: promotion.discount_percent,
        ends_at: promotion.ends_at,
        published_at: promotion.starts_at,
        updated_at: at.time,
        entity_version: at.version,
    };
    rows.upsert(&item).guard(at.version);
}
