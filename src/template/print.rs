//! From the syntax tree back to template source.
//!
//! What is printed parses to the tree that it was printed from, places apart: names that need brackets get them,
//! escaped tags their backslashes, comments their text. The spelling is the usual one, not the author's: one space
//! between arguments, double quotes, `{{{name}}}` for `{{&name}}`, `{{#name}}` with its branches in order for a
//! `{{^name}}` that has an `{{else}}`.

use std::borrow::Cow;

use super::ast::{
    Block, Call, Comment, Content, Expr, ExprKind, Inline, Mustache, Partial, PartialBlock, Path, Program,
    Statement, Strip,
};
use super::lexer::{is_else, is_one_name};

/// Prints a tree that [`parse`](super::parse) made as template source.
///
/// `None` where a name or text of the tree ends in a backslash. Handlebars reads `\"` and `\]` as the end of a text
/// or name only where no other quote or bracket follows in the whole template, so there is no spelling of its own for it.
///
/// ```
/// use prompt_manager::limits::Limits;
/// use prompt_manager::template::{parse, print};
///
/// let tree = parse("{{#if  user.name ~}} Hi {{& user.name }}{{/if}}", &Limits::default())?;
/// assert_eq!(print(&tree).as_deref(), Some("{{#if user.name~}} Hi {{{user.name}}}{{/if}}"));
/// # Ok::<(), prompt_manager::Error>(())
/// ```
#[must_use]
pub fn print(program: &Program) -> Option<String> {
    let mut printer = Printer { out: String::new() };
    printer.program(program, false)?;
    Some(printer.out)
}

struct Printer {
    out: String,
}

/// Each method appends a part of the template; `None` where the part cannot be written.
impl Printer {
    /// Statements; `inside` tells that a tag of the block around them follows.
    fn program(&mut self, program: &Program, inside: bool) -> Option<()> {
        for (at, statement) in program.body.iter().enumerate() {
            match statement {
                Statement::Content(content) => {
                    let tag_follows = program
                        .body
                        .get(at + 1)
                        .map_or(inside, |next| !matches!(next, Statement::Content(_)));
                    self.content(content, tag_follows);
                }
                Statement::Comment(comment) => self.comment(comment),
                Statement::Mustache(mustache) => self.mustache(mustache)?,
                Statement::Block(block) => self.block(block)?,
                Statement::Partial(partial) => self.partial(">", partial)?,
                Statement::PartialBlock(block) => self.partial_block(block)?,
                Statement::Inline(inline) => self.inline(inline)?,
            }
        }
        Some(())
    }

    /// Content holds `{{` only where the tag was escaped, and then begins with it. A backslash before a tag is
    /// written twice.
    fn content(&mut self, content: &Content, tag_follows: bool) {
        let text = &content.original;
        if text.starts_with("{{") {
            self.out.push('\\');
        }
        self.out.push_str(text);
        if tag_follows && text.ends_with('\\') {
            self.out.push('\\');
        }
    }

    /// The marks of a tag around what `inside` appends.
    fn tag(&mut self, mark: &str, strip: Strip, inside: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.out.push_str(if strip.open { "{{~" } else { "{{" });
        self.out.push_str(mark);
        inside(self)?;
        self.out.push_str(if strip.close { "~}}" } else { "}}" });
        Some(())
    }

    fn comment(&mut self, comment: &Comment) {
        let _ = self.tag("!", comment.strip, |printer| {
            printer.out.push_str(comment.text);
            Some(())
        });
    }

    fn mustache(&mut self, mustache: &Mustache) -> Option<()> {
        if mustache.escaped {
            return self.tag("", mustache.strip, |printer| printer.leading_call(&mustache.call));
        }
        self.tag("{", mustache.strip, |printer| {
            printer.call(&mustache.call)?;
            printer.out.push('}');
            Some(())
        })
    }

    fn block(&mut self, block: &Block) -> Option<()> {
        if block.raw {
            return self.raw_block(block);
        }
        let (mark, first, second) = match (&block.program, &block.inverse) {
            (Some(first), second) if second.as_ref().is_none_or(|second| second.block_params.is_empty()) => {
                ("#", first, second.as_ref())
            }
            (second, Some(first)) => ("^", first, second.as_ref()),
            _ => return None,
        };
        self.opening(mark, &block.call, block.open_strip, first)?;
        self.program(first, true)?;
        self.inverse(second, block.inverse_strip)?;
        self.closing(&block.call.callee, block.close_strip)
    }

    /// The tag that opens a block or continues a chain.
    fn opening(&mut self, mark: &str, call: &Call, strip: Strip, branch: &Program) -> Option<()> {
        self.tag(mark, strip, |printer| {
            printer.call(call)?;
            printer.block_params(&branch.block_params)
        })
    }

    /// What follows the first branch of a block.
    fn inverse(&mut self, inverse: Option<&Program>, strip: Strip) -> Option<()> {
        let Some(inverse) = inverse else { return Some(()) };
        match inverse.body.as_slice() {
            [Statement::Block(block)] if inverse.chained => {
                let branch = block.program.as_ref()?;
                self.opening("else ", &block.call, block.open_strip, branch)?;
                self.program(branch, true)?;
                self.inverse(block.inverse.as_ref(), block.inverse_strip)
            }
            _ => {
                self.tag("else", strip, |_| Some(()))?;
                self.program(inverse, true)
            }
        }
    }

    fn raw_block(&mut self, block: &Block) -> Option<()> {
        self.out.push_str("{{{{");
        self.call(&block.call)?;
        self.out.push_str("}}}}");
        for statement in &block.program.as_ref()?.body {
            if let Statement::Content(content) = statement {
                self.out.push_str(&content.original);
            }
        }
        self.out.push_str("{{{{/");
        self.out.push_str(&block.call.callee.as_path()?.original);
        self.out.push_str("}}}}");
        Some(())
    }

    /// The tag that closes what this expression opened.
    fn closing(&mut self, callee: &Expr, strip: Strip) -> Option<()> {
        self.tag("/", strip, |printer| match callee.kind {
            // Nothing but an empty name closes what has none.
            ExprKind::Call(_) => printer.name("", '}'),
            _ => printer.expr(callee, '}'),
        })
    }

    fn partial(&mut self, mark: &str, partial: &Partial) -> Option<()> {
        self.tag(mark, partial.strip, |printer| {
            printer.out.push(' ');
            printer.expr(&partial.name, ' ')?;
            printer.arguments(partial.context.as_slice(), &partial.hash)
        })
    }

    fn partial_block(&mut self, block: &PartialBlock) -> Option<()> {
        self.partial("#>", &block.partial)?;
        self.program(&block.program, true)?;
        self.closing(&block.partial.name, block.close_strip)
    }

    fn inline(&mut self, inline: &Inline) -> Option<()> {
        self.tag("#*inline ", inline.open_strip, |printer| {
            printer.expr(&inline.name, ' ')?;
            printer.block_params(&inline.program.block_params)
        })?;
        self.program(&inline.program, true)?;
        self.tag("/inline", inline.close_strip, |_| Some(()))
    }

    /// A call right after `{{`, where the word `else` would not be a name.
    fn leading_call(&mut self, call: &Call) -> Option<()> {
        let start = self.out.len();
        self.call(call)?;
        if is_else(&self.out[start..])
            && let Some(first) = call.callee.as_path().as_ref().and_then(|path| path.parts.first())
        {
            self.out.replace_range(start..start + first.len(), &format!("[{first}]"));
        }
        Some(())
    }

    fn call(&mut self, call: &Call) -> Option<()> {
        self.expr(&call.callee, ' ')?;
        self.arguments(&call.params, &call.hash)
    }

    fn arguments(&mut self, params: &[Expr], hash: &[(Cow<'_, str>, Expr)]) -> Option<()> {
        for value in params {
            self.out.push(' ');
            self.expr(value, ' ')?;
        }
        for (name, value) in hash {
            self.out.push(' ');
            self.name(name, '=')?;
            self.out.push('=');
            self.expr(value, ' ')?;
        }
        Some(())
    }

    fn block_params(&mut self, names: &[Cow<'_, str>]) -> Option<()> {
        let Some((last, others)) = names.split_last() else { return Some(()) };
        self.out.push_str(" as |");
        for name in others {
            self.name(name, ' ')?;
            self.out.push(' ');
        }
        self.name(last, '|')?;
        self.out.push('|');
        Some(())
    }

    /// An expression, and the character that follows it.
    fn expr(&mut self, expr: &Expr, next: char) -> Option<()> {
        match &expr.kind {
            ExprKind::Path(path) => return self.path(path, next),
            ExprKind::Call(call) => {
                self.out.push('(');
                self.call(call)?;
                self.out.push(')');
            }
            ExprKind::String(text) => return self.text(text),
            ExprKind::Number(text) => self.out.push_str(text),
            ExprKind::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            ExprKind::Undefined => self.out.push_str("undefined"),
            ExprKind::Null => self.out.push_str("null"),
        }
        Some(())
    }

    /// A text in quotes, in which only the quote itself is escaped.
    fn text(&mut self, text: &str) -> Option<()> {
        if text.ends_with('\\') {
            return None;
        }
        let quote = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
        self.out.push(quote);
        self.out.push_str(&text.replace(quote, &format!("\\{quote}")));
        self.out.push(quote);
        Some(())
    }

    /// A path: `original` has its separators, and the dots and `this` that lead it; `parts` has its names.
    fn path(&mut self, path: &Path, next: char) -> Option<()> {
        let names: usize = path.parts.iter().map(|part| part.len()).sum();
        let separators = path.parts.len().saturating_sub(1);
        let (lead, mut rest) = path.original.split_at(path.original.len() - names - separators);
        self.lead(lead, !path.parts.is_empty());
        for (at, part) in path.parts.iter().enumerate() {
            rest = &rest[part.len()..];
            let separator = rest.chars().next();
            if matches!(&**part, "this" | "." | "..") {
                self.bracketed(part)?;
            } else {
                self.name(part, separator.unwrap_or(next))?;
            }
            if at < separators {
                self.out.push(separator?);
                rest = &rest[1..];
            }
        }
        Some(())
    }

    /// What leads a path. Two dots before a name are a dot and a separator, which only a space tells from `..`.
    fn lead(&mut self, lead: &str, names_follow: bool) {
        for (at, c) in lead.char_indices() {
            let (before, after) = (&lead[..at], &lead[at + 1..]);
            let second = before.ends_with('.') && !before.ends_with("..");
            let separates = if after.is_empty() { names_follow } else { after.starts_with("this") };
            if c == '.' && second && separates {
                self.out.push(' ');
            }
            self.out.push(c);
        }
    }

    /// A name that is an argument's, a parameter's or part of a path, in brackets where it needs them.
    fn name(&mut self, name: &str, next: char) -> Option<()> {
        if is_one_name(name, next) {
            self.out.push_str(name);
            return Some(());
        }
        self.bracketed(name)
    }

    fn bracketed(&mut self, name: &str) -> Option<()> {
        if name.ends_with('\\') {
            return None;
        }
        self.out.push('[');
        self.out.push_str(&name.replace('\\', "\\\\").replace(']', "\\]"));
        self.out.push(']');
        Some(())
    }
}
