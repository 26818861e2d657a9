//! Renders a prompt for each row of Arrow tables, without Python objects.
//!
//! The row is the context of the templates, and its cells are read in place. The pipeline is that of a single render
//! ([`crate::prompt`]): the same checks, defaults, placeholders and output instructions, and so the same text.

mod batch;
mod column;
mod columns;
mod compare;
mod data;
mod decimal;
mod identity;
mod json;
mod jsonl;
mod number;
mod output;
mod row_render;
mod text;
mod time;
mod value;
mod values;
mod zone;

pub use batch::{Batch, BatchHost, BatchResult, BatchTarget};
pub use columns::{ColumnNeeds, UsedColumns};
pub use data::{ArrowData, TextPool};
pub use decimal::DecimalNumber;
pub use jsonl::{
    JsonlOptions, JsonlProvider, JsonlResult, JsonlWriter, arguments_of_call, gemini_batch_body,
};
pub use output::MessageShape;
pub use row_render::{BatchPrompt, BatchSchemas, RowContext, RowRender};
pub use text::{ArrowText, TextSink};
pub use time::{Duration, Moment, TimeOfDay, date_of};
pub use value::{ArrowValue, Column, ListCell, MapCell, MemberColumn, MemberValue, StructCell};
