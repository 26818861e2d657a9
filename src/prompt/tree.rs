//! JSON values of tool calls and of what only one provider understands.

use serde_json::Number;

use crate::error::Result;
use crate::template::{JsonText, Output};

/// A JSON value whose texts are of type `L`.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<L> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A number with digits that [`Number`] would lose: its text in JSON.
    ExactNumber(String),
    /// A text.
    Text(L),
    /// A list.
    List(Vec<Tree<L>>),
    /// An object, in the order of the file.
    Map(Vec<(String, Tree<L>)>),
}

impl<L> Tree<L> {
    /// Converts every text with `map`, in reading order.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn try_map<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<Tree<M>> {
        Ok(match self {
            Self::Null => Tree::Null,
            Self::Bool(value) => Tree::Bool(*value),
            Self::Number(value) => Tree::Number(value.clone()),
            Self::ExactNumber(text) => Tree::ExactNumber(text.clone()),
            Self::Text(text) => Tree::Text(map(text)?),
            Self::List(items) => {
                Tree::List(items.iter().map(|item| item.try_map(map)).collect::<Result<_>>()?)
            }
            Self::Map(members) => Tree::Map(
                members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.try_map(map)?)))
                    .collect::<Result<_>>()?,
            ),
        })
    }
}

impl<L> Tree<L> {
    /// Whether a number in it is an [`Tree::ExactNumber`].
    pub(super) fn has_exact_number(&self) -> bool {
        match self {
            Self::ExactNumber(_) => true,
            Self::List(items) => items.iter().any(Self::has_exact_number),
            Self::Map(members) => members.iter().any(|(_, value)| value.has_exact_number()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }
}

impl<L: Output> Tree<L> {
    /// Writes compact JSON, as Python's `json.dumps` does with `ensure_ascii=False` and `separators=(",", ":")`.
    ///
    /// # Errors
    /// None: the text has no limit.
    pub fn to_json_text(&self) -> Result<String> {
        let mut text = JsonText::new(None, usize::MAX);
        self.write_json(&mut text)?;
        Ok(text.finish())
    }

    fn write_json(&self, out: &mut JsonText) -> Result<()> {
        match self {
            Self::Null => out.literal("null"),
            Self::Bool(true) => out.literal("true"),
            Self::Bool(false) => out.literal("false"),
            Self::Number(number) => out.literal(&number.to_string()),
            Self::ExactNumber(text) => out.literal(text),
            Self::Text(text) => text.with_str(|text| out.string(text)),
            Self::List(items) => {
                out.open('[')?;
                for item in items {
                    out.item()?;
                    item.write_json(out)?;
                }
                out.close(']')
            }
            Self::Map(members) => {
                out.open('{')?;
                for (key, value) in members {
                    out.item()?;
                    out.key(key)?;
                    value.write_json(out)?;
                }
                out.close('}')
            }
        }
    }
}
