//! Takes the answer out of what a model put around it.

use super::answer::{Answer, AnswerOptions};
use super::cursor::AnswerParser;
use super::parsed::Parsed;
use super::repairs::{Repair, RepairKind};

/// Takes the dict that is wanted out of a JSON text, or out of a list of one item.
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
