//! Takes the answer out of what a model put around it.

use super::answer::{Answer, AnswerOptions};
use super::cursor::AnswerParser;
use super::parsed::Parsed;
use super::repairs::{Repair, RepairKind};

/// If a dict is wanted, takes it out of a JSON string that contains it, or out of a list that has no other item.
pub(super) fn unwrapped(mut answer: Answer, options: AnswerOptions) -> Answer {
    if !options.dict || answer.open > 0 {
        return answer;
    }
    let repair = |kind| Repair { kind, line: 1, column: 1 };
    if let Parsed::Text(text) = &answer.parsed
        && let Ok(parsed @ (Parsed::Dict(_) | Parsed::List(_))) = AnswerParser::new(text, 0, true).whole()
    {
        answer.parsed = parsed;
        answer.repairs.insert(0, repair(RepairKind::JsonInText));
    }
    if let Parsed::List(items) = &mut answer.parsed
        && let [item @ Parsed::Dict(_)] = items.as_mut_slice()
    {
        answer.parsed = std::mem::replace(item, Parsed::Null);
        answer.repairs.insert(0, repair(RepairKind::ListAround));
    }
    answer
}

/// Whether the answer was JSON within a string, and reading its source without that string gives another value, because
/// a backslash can belong to either.
pub(super) fn is_unclear(source: &str, answer: &Answer) -> bool {
    let is_in_text = answer.repairs.iter().any(|repair| repair.kind == RepairKind::JsonInText);
    let (Some(start), Some(end)) = (source.find(['{', '[']), source.rfind(['}', ']'])) else { return false };
    if !is_in_text || start > end {
        return false;
    }
    let bare = AnswerParser::new(&source[start..=end], 0, false).whole();
    bare.is_ok_and(|bare| bare != answer.parsed && Parsed::List(vec![answer.parsed.clone()]) != bare)
}
