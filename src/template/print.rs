//! The printer: turns a syntax tree back into template source.
//!
//! The printed source parses to the same tree, except for the places of its nodes: names that need brackets get them,
//! escaped tags get their backslashes, comments keep their text. The spelling is normalised: one space between
//! arguments, double quotes, `{{{name}}}` for `{{&name}}`, and `{{#name}}` with its branches in order for a `{{^name}}`
//! that has an `{{else}}`.

use std::borrow::Cow;

use super::ast::{
    BlockNode, CallNode, CommentNode, ContentNode, ExprNode, ExprNodeKind, InlineNode, MustacheNode,
    PartialBlockNode, PartialNode, PathNode, Program, Statement, Strip,
};
use super::lexer::{is_else, is_one_name};

/// Prints a tree that [`parse`](super::parse) returned as template source.
///
/// `None` if a name or text in the tree ends with a backslash. Handlebars reads `\"` and `\]` as the end of a text or
/// name only if no other quote or bracket follows in the whole template, so such a text cannot be written on its own.
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

/// Each method appends a part of the template. `None`: the part cannot be written.
impl Printer {
    /// Appends statements. `inside`: a tag of the block around them follows.
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

    /// Content contains `{{` only if the tag was escaped, and then it begins with `{{`. A backslash before a tag is
    /// written twice.
    fn content(&mut self, content: &ContentNode, tag_follows: bool) {
        let text = &content.original;
        if text.starts_with("{{") {
            self.out.push('\\');
        }
        self.out.push_str(text);
        if tag_follows && text.ends_with('\\') {
            self.out.push('\\');
        }
    }

    /// Appends the marks of a tag around the output of `inside`.
    fn tag(&mut self, mark: &str, strip: Strip, inside: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.out.push_str(if strip.open { "{{~" } else { "{{" });
        self.out.push_str(mark);
        inside(self)?;
        self.out.push_str(if strip.close { "~}}" } else { "}}" });
        Some(())
    }

    fn comment(&mut self, comment: &CommentNode) {
        let _ = self.tag("!", comment.strip, |printer| {
            printer.out.push_str(comment.text);
            Some(())
        });
    }

    fn mustache(&mut self, mustache: &MustacheNode) -> Option<()> {
        if mustache.escaped {
            return self.tag("", mustache.strip, |printer| printer.leading_call(&mustache.call));
        }
        self.tag("{", mustache.strip, |printer| {
            printer.call(&mustache.call)?;
            printer.out.push('}');
            Some(())
        })
    }

    fn block(&mut self, block: &BlockNode) -> Option<()> {
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

    /// Appends the tag that opens a block or continues a chain.
    fn opening(&mut self, mark: &str, call: &CallNode, strip: Strip, branch: &Program) -> Option<()> {
        self.tag(mark, strip, |printer| {
            printer.call(call)?;
            printer.block_params(&branch.block_params)
        })
    }

    /// Appends the branches after the first one.
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

    fn raw_block(&mut self, block: &BlockNode) -> Option<()> {
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

    /// Appends the tag that closes the block on this expression.
    fn closing(&mut self, callee: &ExprNode, strip: Strip) -> Option<()> {
        self.tag("/", strip, |printer| match callee.kind {
            // Only an empty name closes a block on a call, which has no name.
            ExprNodeKind::Call(_) => printer.name("", '}'),
            _ => printer.expr(callee, '}'),
        })
    }

    fn partial(&mut self, mark: &str, partial: &PartialNode) -> Option<()> {
        self.tag(mark, partial.strip, |printer| {
            printer.out.push(' ');
            printer.expr(&partial.name, ' ')?;
            printer.arguments(partial.context.as_slice(), &partial.hash)
        })
    }

    fn partial_block(&mut self, block: &PartialBlockNode) -> Option<()> {
        self.partial("#>", &block.partial)?;
        self.program(&block.program, true)?;
        self.closing(&block.partial.name, block.close_strip)
    }

    fn inline(&mut self, inline: &InlineNode) -> Option<()> {
        self.tag("#*inline", inline.open_strip, |printer| {
            printer.arguments(std::slice::from_ref(&inline.name), &inline.hash)?;
            printer.block_params(&inline.program.block_params)
        })?;
        self.program(&inline.program, true)?;
        self.tag("/inline", inline.close_strip, |_| Some(()))
    }

    /// Appends a call right after `{{`, where the word `else` must be in brackets to be a name.
    fn leading_call(&mut self, call: &CallNode) -> Option<()> {
        let start = self.out.len();
        self.call(call)?;
        if is_else(&self.out[start..])
            && let Some(first) = call.callee.as_path().as_ref().and_then(|path| path.parts.first())
        {
            self.out.replace_range(start..start + first.len(), &format!("[{first}]"));
        }
        Some(())
    }

    fn call(&mut self, call: &CallNode) -> Option<()> {
        self.expr(&call.callee, ' ')?;
        self.arguments(call.params(), call.hash())
    }

    fn arguments(&mut self, params: &[ExprNode], hash: &[(Cow<'_, str>, ExprNode)]) -> Option<()> {
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

    /// Appends an expression. `next` is the character that will follow it.
    fn expr(&mut self, expr: &ExprNode, next: char) -> Option<()> {
        match &expr.kind {
            ExprNodeKind::Path(path) => return self.path(path, next),
            ExprNodeKind::Call(call) => {
                self.out.push('(');
                self.call(call)?;
                self.out.push(')');
            }
            ExprNodeKind::String(text) => return self.text(text),
            ExprNodeKind::Number(text) => self.out.push_str(text),
            ExprNodeKind::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            ExprNodeKind::Undefined => self.out.push_str("undefined"),
            ExprNodeKind::Null => self.out.push_str("null"),
        }
        Some(())
    }

    /// Appends a quoted text, in which only the quote itself is escaped.
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

    /// Appends a path. `original` has its separators and the dots and `this` at its start; `parts` has its names.
    fn path(&mut self, path: &PathNode, next: char) -> Option<()> {
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

    /// Appends the dots and `this` at the start of a path. Two dots before a name are a dot and a separator, which only
    /// a space tells from `..`.
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

    /// Appends the name of an argument, of a block parameter or in a path, in brackets if it needs them.
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
