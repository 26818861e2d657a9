//! Compares values of Arrow columns, for the helpers `eq`, `lt` and the like.

use std::cmp::Ordering;

use super::data::ArrowData;
use super::identity::{equal_scalars, is_same};
use super::number;
use super::value::ArrowValue;
use crate::error::{Error, Kind, Result};
use crate::limits::{BYTES_OF_A_STEP, PLAIN_DEPTH};
use crate::stack_room;
use crate::template::ValueKind;

impl<'a> ArrowData<'a> {
    /// Whether two values are equal. `depth` is how many values they are inside of.
    pub(super) fn equal_at(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>, depth: usize) -> Result<bool> {
        self.count_work(1)?;
        if depth > PLAIN_DEPTH {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("the values are nested more than {PLAIN_DEPTH} levels deep, or one contains itself"),
            )
            .with_hint("compare the members that matter, such as `(eq a.id b.id)`"));
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let (a_kind, b_kind) = (a.kind(), b.kind());
        if a_kind.is_number() && b_kind.is_number() {
            return Ok(number::order(a, b) == Some(Ordering::Equal));
        }
        if a_kind != b_kind {
            return Ok(false);
        }
        match a_kind {
            ValueKind::Null => Ok(true),
            ValueKind::String => {
                let (a, b) = (a.as_text().unwrap_or_default(), b.as_text().unwrap_or_default());
                self.count_work((a.len() / BYTES_OF_A_STEP) as u64)?;
                Ok(a == b)
            }
            ValueKind::Sequence => self.equal_lists(a, b, depth),
            ValueKind::Mapping => self.equal_mappings(a, b, depth),
            _ => Ok(equal_scalars(a, b)),
        }
    }

    fn equal_lists(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>, depth: usize) -> Result<bool> {
        if is_same(a, b) {
            return Ok(true);
        }
        if a.size() != b.size() {
            return Ok(false);
        }
        let mut at = 0;
        while let (Some(of_a), Some(of_b)) = (a.item(at), b.item(at)) {
            if !self.equal_at(&of_a, &of_b, depth + 1)? {
                return Ok(false);
            }
            at += 1;
        }
        Ok(true)
    }

    fn equal_mappings(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>, depth: usize) -> Result<bool> {
        if is_same(a, b) {
            return Ok(true);
        }
        let (of_a, of_b) = (a.members(), b.members());
        if of_a.len() != of_b.len() {
            return Ok(false);
        }
        for (key, value) in &of_a {
            let mut found = None;
            for (other, value) in &of_b {
                if self.equal_at(key, other, depth + 1)? {
                    found = Some(value);
                    break;
                }
            }
            match found {
                Some(other) if self.equal_at(value, other, depth + 1)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
