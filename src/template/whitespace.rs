//! Whitespace control: removes the white space around tags that belongs to the tags, by the rules of handlebars.js 4.7.
//!
//! A tilde removes all white space on its side. A block tag, `else`, comment, partial or inline partial that is alone
//! on its line removes the whole line. Contents are only trimmed and never merged: the pass decides by the text as
//! written (`original`) and trims the text that is left.

use super::ast::{BlockNode, ContentNode, Program, Statement, Strip};
use super::lexer::{leading_space, trailing_space};

/// Trims the contents of a whole template. With `ignore_standalone` only tildes trim.
pub(super) fn control(program: &mut Program, ignore_standalone: bool) {
    WhitespaceControl { standalone: !ignore_standalone }.program(program, true);
}

struct WhitespaceControl {
    standalone: bool,
}

/// How a statement trims the content around it.
#[derive(Default)]
struct WhitespaceEffect {
    strip: Strip,
    /// Only white space is between the opening tag and a line break inside the block.
    open_standalone: bool,
    /// Only white space is between a line break inside the block and the closing tag.
    close_standalone: bool,
    /// The tag has no content of its own and can be alone on its line.
    inline_standalone: bool,
}

impl WhitespaceControl {
    fn program(&self, program: &mut Program, is_root: bool) {
        for at in 0..program.body.len() {
            let Some(effect) = self.statement(&mut program.body[at]) else { continue };
            let body = &mut program.body;
            let before = is_previous_white(body, at, is_root);
            let after = is_next_white(body, Some(at), is_root);
            if effect.strip.close {
                trim_start(content_at(body, Some(at + 1)), true);
            }
            if effect.strip.open {
                trim_end(content_at(body, at.checked_sub(1)), true);
            }
            if !self.standalone {
                continue;
            }
            if effect.inline_standalone && before && after {
                let line_break = trim_start(content_at(body, Some(at + 1)), false);
                keep_line_break(&mut body[at], line_break);
                if trim_end(content_at(body, at.checked_sub(1)), false) {
                    indent_partial(body, at);
                }
            }
            if effect.open_standalone && before {
                if let Some(first) = first_branch(&mut body[at]) {
                    let line_break = trim_start(content_at(&mut first.body, Some(0)), false);
                    if let Statement::Block(block) = &mut body[at] {
                        block.open_line_break = line_break;
                    }
                }
                trim_end(content_at(body, at.checked_sub(1)), false);
            }
            if effect.close_standalone && after {
                let line_break = trim_start(content_at(body, Some(at + 1)), false);
                keep_line_break(&mut body[at], line_break);
                if let Some(last) = last_branch(&mut body[at]) {
                    let end = last.body.len().checked_sub(1);
                    trim_end(content_at(&mut last.body, end), false);
                }
            }
        }
    }

    fn statement(&self, statement: &mut Statement) -> Option<WhitespaceEffect> {
        let inline =
            |strip| WhitespaceEffect { strip, inline_standalone: true, ..WhitespaceEffect::default() };
        match statement {
            Statement::Content(_) => None,
            Statement::Comment(comment) => Some(inline(comment.strip)),
            Statement::Partial(partial) => Some(inline(partial.strip)),
            Statement::Mustache(mustache) => {
                Some(WhitespaceEffect { strip: mustache.strip, ..WhitespaceEffect::default() })
            }
            Statement::Block(block) => Some(self.block(block)),
            Statement::PartialBlock(block) => {
                Some(self.one_branch(&mut block.program, block.partial.strip, block.close_strip))
            }
            Statement::Inline(inline) => {
                Some(self.one_branch(&mut inline.program, inline.open_strip, inline.close_strip))
            }
        }
    }

    /// A block with one branch.
    fn one_branch(&self, program: &mut Program, open: Strip, close: Strip) -> WhitespaceEffect {
        self.program(program, false);
        let effect = WhitespaceEffect {
            strip: Strip { open: open.open, close: close.close },
            open_standalone: is_next_white(&program.body, None, false),
            close_standalone: is_previous_white(&program.body, program.body.len(), false),
            inline_standalone: false,
        };
        if open.close {
            trim_start(content_at(&mut program.body, Some(0)), true);
        }
        if close.open {
            trim_last(program, true);
        }
        effect
    }

    fn block(&self, block: &mut BlockNode) -> WhitespaceEffect {
        let (open_strip, inverse_strip, close_strip) =
            (block.open_strip, block.inverse_strip, block.close_strip);
        let (Some(program), Some(inverse)) = (&mut block.program, &mut block.inverse) else {
            return match block.program.as_mut().or(block.inverse.as_mut()) {
                Some(only) => self.one_branch(only, open_strip, close_strip),
                None => WhitespaceEffect::default(),
            };
        };
        self.program(program, false);
        self.program(inverse, false);
        let second = branch_of(inverse);
        let effect = WhitespaceEffect {
            strip: Strip { open: open_strip.open, close: close_strip.close },
            open_standalone: is_next_white(&program.body, None, false),
            close_standalone: is_previous_white(&second.body, second.body.len(), false),
            inline_standalone: false,
        };
        if open_strip.close {
            trim_start(content_at(&mut program.body, Some(0)), true);
        }
        if inverse_strip.open {
            trim_last(program, true);
        }
        if inverse_strip.close {
            trim_start(content_at(&mut second.body, Some(0)), true);
        }
        if close_strip.open {
            trim_last(second, true);
        }
        if self.standalone
            && is_previous_white(&program.body, program.body.len(), false)
            && is_next_white(&second.body, None, false)
        {
            trim_last(program, false);
            trim_start(content_at(&mut second.body, Some(0)), false);
        }
        effect
    }
}

/// The branch after the first one: the inverse itself, or in a chain the first branch of the block inside it.
fn branch_of<'a, 's>(inverse: &'a mut Program<'s>) -> &'a mut Program<'s> {
    if !inverse.chained {
        return inverse;
    }
    match inverse.body.as_mut_slice() {
        [Statement::Block(block)] => block.program.get_or_insert_default(),
        _ => unreachable!("the parser gives a chained branch one block and nothing else"),
    }
}

fn first_branch<'a, 's>(statement: &'a mut Statement<'s>) -> Option<&'a mut Program<'s>> {
    match statement {
        Statement::Block(block) => block.program.as_mut().or(block.inverse.as_mut()),
        Statement::PartialBlock(block) => Some(&mut block.program),
        Statement::Inline(inline) => Some(&mut inline.program),
        _ => None,
    }
}

fn last_branch<'a, 's>(statement: &'a mut Statement<'s>) -> Option<&'a mut Program<'s>> {
    match statement {
        Statement::Block(block) => block.inverse.as_mut().or(block.program.as_mut()),
        other => first_branch(other),
    }
}

/// Makes the white space before a partial that is alone on its line the partial's indentation.
fn indent_partial(body: &mut [Statement], at: usize) {
    let (before, rest) = body.split_at_mut(at);
    if let (Some(Statement::Content(content)), Some(Statement::Partial(partial))) =
        (before.last(), rest.first_mut())
    {
        let kept = content.original.trim_end_matches([' ', '\t']).len();
        content.original[kept..].clone_into(&mut partial.indent);
    }
}

/// Remembers the line break that was removed after a partial or block, so that a render can put it back.
fn keep_line_break(statement: &mut Statement, line_break: &'static str) {
    match statement {
        Statement::Partial(partial) => partial.line_break = line_break,
        Statement::PartialBlock(block) => block.partial.line_break = line_break,
        Statement::Block(block) => block.close_line_break = line_break,
        _ => {}
    }
}

fn content_at<'a, 's>(body: &'a mut [Statement<'s>], at: Option<usize>) -> Option<&'a mut ContentNode<'s>> {
    match body.get_mut(at?) {
        Some(Statement::Content(content)) => Some(content),
        _ => None,
    }
}

fn trim_last(program: &mut Program, all: bool) {
    let end = program.body.len().checked_sub(1);
    trim_end(content_at(&mut program.body, end), all);
}

/// Trims the start: all white space, or spaces and tabs with one line break. Returns that line break.
fn trim_start(content: Option<&mut ContentNode>, all: bool) -> &'static str {
    let Some(content) = content else { return "" };
    if !all && content.right_stripped {
        return "";
    }
    let value = content.value();
    let (kept, line_break) = if all {
        (&value[leading_space(value).len()..], "")
    } else {
        let line = value.trim_start_matches([' ', '\t']);
        // A carriage return alone is removed too: handlebars.js uses `\r?\n?`.
        ["\r\n", "\n", "\r"]
            .into_iter()
            .find_map(|line_break| line.strip_prefix(line_break).map(|kept| (kept, line_break)))
            .unwrap_or((line, ""))
    };
    let taken = value.len() - kept.len();
    content.from += taken;
    content.right_stripped = taken > 0;
    line_break
}

/// Trims the end: all white space, or spaces and tabs. Returns whether this or an earlier call removed anything.
fn trim_end(content: Option<&mut ContentNode>, all: bool) -> bool {
    let Some(content) = content else { return false };
    if !all && content.left_stripped {
        return false;
    }
    let value = content.value();
    let taken = if all {
        trailing_space(value).len()
    } else {
        value.len() - value.trim_end_matches([' ', '\t']).len()
    };
    content.to -= taken;
    content.left_stripped = taken > 0;
    content.left_stripped
}

/// Whether the content before position `at` ends in a line break and white space, or `at` is the start of the template.
fn is_previous_white(body: &[Statement], at: usize, is_root: bool) -> bool {
    let Some(previous) = at.checked_sub(1) else { return is_root };
    let Statement::Content(content) = &body[previous] else { return false };
    let white = trailing_space(&content.original);
    white.contains('\n') || (previous == 0 && is_root && white.len() == content.original.len())
}

/// Whether the content after position `at` (`None`: at the start) begins with white space and a line break, or is the
/// end of the template.
fn is_next_white(body: &[Statement], at: Option<usize>, is_root: bool) -> bool {
    let next = at.map_or(0, |at| at + 1);
    let Some(statement) = body.get(next) else { return is_root };
    let Statement::Content(content) = statement else { return false };
    let white = leading_space(&content.original);
    white.contains('\n') || (body.len() == next + 1 && is_root && white.len() == content.original.len())
}
