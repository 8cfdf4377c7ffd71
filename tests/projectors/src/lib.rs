//! The events that the tests' projectors count. Each projector is a cargo
//! example of this package, small enough to be read beside the test that uses it.

use lantern_sdk::Events;

/// What is counted.
#[derive(Events)]
pub enum Counting {
    /// A counter, which is the event's stream, went up.
    #[event("counter.increased")]
    Increased {
        /// By how much.
        by: i64,
        /// Whether a picky projector should stumble over it.
        #[serde(default)]
        poison: bool,
    },
}

/// What changes step by step.
#[derive(Events)]
pub enum Changing {
    /// An entity changed.
    #[event("entity.changed")]
    Changed {
        /// Its name.
        entity: String,
        /// Whether it is gone.
        #[serde(default)]
        gone: bool,
        /// What is added to it.
        #[serde(default)]
        add: i64,
        /// What is noted, if anything.
        #[serde(default)]
        note: Option<String>,
        /// Whether a picky projector should stumble over it.
        #[serde(default)]
        poison: bool,
    },
}

impl Changing {
    /// Whether a picky projector should stumble over it.
    pub fn is_poisonous(&self) -> bool {
        let Changing::Changed { poison, .. } = self;
        *poison
    }
}

/// Does what an event says: deletes, adds, patches.
#[macro_export]
macro_rules! change {
    ($event:ident, $rows:ident, $table:ident) => {
        let $crate::Changing::Changed {
            entity,
            gone,
            add,
            note,
            ..
        } = $event.data;
        if gone {
            $rows.delete($table::key(&entity));
        }
        if add != 0 {
            $rows.increment($table::key(&entity)).by($table::total, add);
        }
        if let Some(note) = note {
            $rows.patch($table::key(&entity)).set($table::note, note);
        }
    };
}

/// A projector that looks up customers, products and a row for the stream, with
/// such declarations of lookups as are given.
#[macro_export]
macro_rules! enriched {
    ($($lookups:tt)*) => {
        use lantern_sdk::prelude::*;

        /// A customer; of their tenant.
        #[derive(Table)]
        #[table(name = "customers", tenant_keyed)]
        pub struct Customer {
            /// Who.
            #[key]
            pub customer_id: String,
            /// What they are called.
            pub name: String,
        }

        /// A product; of its tenant.
        #[derive(Table)]
        #[table(name = "products", tenant_keyed)]
        pub struct Product {
            /// What.
            #[key]
            pub product_id: String,
            /// What it is called.
            pub name: String,
        }

        /// What has passed in a stream.
        #[derive(Table)]
        #[table(name = "tills", tenant_keyed)]
        pub struct Till {
            /// The stream.
            #[key]
            pub stream: String,
            /// The orders in it.
            pub orders: i64,
        }

        /// An order with names.
        #[derive(Table)]
        #[table(name = "enriched", tenant_keyed)]
        pub struct Enriched {
            /// The order.
            #[key]
            pub order_id: String,
            /// Whose it is.
            pub customer: Option<String>,
            /// What is ordered.
            pub products: String,
            /// Its number in its stream.
            pub number: i64,
        }

        /// What happens.
        #[derive(Events)]
        pub enum Selling {
            /// A customer came.
            #[event("customer.named")]
            Customer { customer_id: String, name: String },
            /// A customer left.
            #[event("customer.left")]
            Left { customer_id: String },
            /// A product came.
            #[event("product.named")]
            Product { product_id: String, name: String },
            /// An order was placed.
            #[event("order.placed")]
            Order {
                order_id: String,
                customer_id: Option<String>,
                lines: Vec<Line>,
            },
        }

        /// A line of an order.
        #[derive(serde::Deserialize)]
        pub struct Line {
            /// What is ordered.
            pub product_id: String,
        }

        /// Keeps `enriched` and what it is made from.
        #[projector(
            name = "enriched",
            version = "1.0.0",
            tables(Enriched, Customer, Product, Till),
            needs(streams),
            $($lookups)*
        )]
        pub fn enriched(event: Event<Selling>, rows: &mut Rows) -> Result<()> {
            let stream = event.stream.to_string();
            match event.data {
                Selling::Customer { customer_id, name } => {
                    rows.upsert(&Customer { customer_id, name });
                }
                Selling::Left { customer_id } => {
                    rows.delete(Customer::key(&customer_id));
                }
                Selling::Product { product_id, name } => {
                    rows.upsert(&Product { product_id, name });
                }
                Selling::Order {
                    order_id,
                    customer_id,
                    lines,
                } => {
                    let customer = match &customer_id {
                        Some(id) => rows.get(Customer::key(id))?,
                        None => None,
                    };
                    let keys = lines.iter().map(|line| Product::key(&line.product_id));
                    let products = rows.get_many(keys)?.into_iter().flatten();
                    let names: Vec<String> = products.map(|product| product.name).collect();
                    let till = rows.get(Till::key(&stream))?;
                    let number = till.map_or(0, |till| till.orders) + 1;
                    rows.upsert(&Till {
                        stream,
                        orders: number,
                    });
                    rows.upsert(&Enriched {
                        order_id,
                        customer: customer.map(|customer| customer.name),
                        products: names.join(", "),
                        number,
                    });
                }
            }
            Ok(())
        }
    };
}

/// A projector that counts the events it is sent, by tenant and stream. It is
/// sent those that its arguments want, or else all.
#[macro_export]
macro_rules! subscriber {
    ($name:ident, $table:literal, $($wants:tt)*) => {
        use lantern_sdk::prelude::*;

        /// The events of a stream.
        #[derive(Table)]
        #[table(name = $table)]
        pub struct Sent {
            /// Whose stream it is.
            #[key]
            pub of: String,
            /// How many there were.
            pub events: i64,
        }

        /// Anything.
        #[derive(Events)]
        pub enum Any {
            /// Whatever it is.
            #[event(other)]
            Anything,
        }

        /// Counts.
        #[projector(version = "1.0.0", tables(Sent), needs(streams), $($wants)*)]
        pub fn $name(event: Event<Any>, rows: &mut Rows) {
            let of = format!("{} {}", event.tenant.unwrap_or_default(), &*event.stream);
            rows.increment(Sent::key(&of)).by(Sent::events, 1);
        }
    };
}
