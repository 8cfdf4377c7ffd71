//! Enriches orders, and declares what it looks up.

test_projectors::enriched!(
    lookup(Customer, types("order.*"), key("$.customer_id")),
    lookup(Product, types("order.placed"), key("$.lines[*].product_id")),
    lookup(Till, key("stream"))
);
