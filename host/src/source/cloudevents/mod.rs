//! Events as others write them: [CloudEvents 1.0](https://cloudevents.io) in
//! JSON.
//!
//! | CloudEvents | Lantern |
//! |---|---|
//! | `id`, `source`, `type` | the same |
//! | `subject` | the stream |
//! | `time` | the time; when it is missing, that of the arrival |
//! | `data` | the payload: the JSON text exactly as it came, or, when the content type is not JSON, the text that a string holds |
//! | `data_base64` | a binary payload |
//! | extension `tenant` | the tenant |
//! | everything else, and `source` | the metadata, a JSON object |

mod base64;
mod error;
mod lines;
mod members;
mod parse;
mod write;

pub use error::InvalidCloudEvent;
pub use lines::{ImportLines, ImportedLine, LineError, MAX_LINE_BYTES};
pub use parse::parse;
pub use write::{write_event, write_recorded};
