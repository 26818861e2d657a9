//! The parser: turns tokens into the syntax tree, by the grammar of handlebars.js 4.7.
//!
//! It is a recursive-descent parser that looks at most one token ahead. The nesting of blocks and subexpressions is limited, so no template can exhaust the stack.

use std::borrow::Cow;

use super::ast::{
    ArgumentNodes, BlockNode, CallNode, CommentNode, ContentNode, ExprNode, ExprNodeKind, InlineNode,
    MustacheNode, PartialBlockNode, PartialNode, PathNode, PathParts, Program, Span, Statement, Strip,
};
use super::lexer::{Lexer, Token, TokenKind as K};
use crate::error::{Error, Kind, Place, Result};
use crate::limits::{Limits, MAX_NESTING};
use crate::stack_room;

/// Checks that a source does not exceed the limit on its length.
pub(super) fn check_size(source: &str, limits: &Limits) -> Result<()> {
    let (bytes, limit) = (source.len(), limits.source_bytes);
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::new(
        Kind::TemplateSyntax,
        format!("the template has {bytes} bytes, more than the limit of {limit}"),
    )
    .with_hint("shorten the template, or raise limits.source_bytes"))
}

/// A parsed template.
pub(super) struct ParsedSource<'s> {
    pub(super) program: Program<'s>,
    /// How deep its blocks and subexpressions are nested.
    pub(super) depth: usize,
}

/// Parses a template, without trimming white space.
pub(super) fn parse<'s>(source: &'s str, limits: &Limits) -> Result<ParsedSource<'s>> {
    check_size(source, limits)?;
    let mut parser = TemplateParser {
        source,
        lexer: Lexer::new(source),
        ahead: None,
        open: Vec::new(),
        depth: 0,
        limits,
        most_levels: stack_room::levels_to_compile(),
    };
    let program = parser.program()?;
    let token = parser.next()?;
    match token.kind {
        K::Eof => Ok(ParsedSource { program, depth: parser.depth }),
        K::OpenEndBlock(_) => {
            let name = parser.name_after(token.end);
            let unopened = error(&token, format!("`{{{{/{name}}}}}` closes a block that was never opened"));
            let hint = super::hints::for_name(&name).map_or_else(
                || format!("open it with `{{{{#{name} …}}}}`, or remove this tag"),
                str::to_owned,
            );
            Err(unopened.with_hint(hint))
        }
        K::Inverse(..) | K::OpenInverseChain(_) => Err(error(&token, "`else` outside a block")),
        _ => Err(parser.unexpected(&token, "text or a tag")),
    }
}

struct TemplateParser<'s, 'l> {
    source: &'s str,
    lexer: Lexer<'s>,
    /// The token that was read ahead.
    ahead: Option<Token<'s>>,
    /// The places of the open tags and parentheses, for errors that point at them.
    open: Vec<Span>,
    /// The most that were open at once.
    depth: usize,
    limits: &'l Limits,
    /// How many of them the stack of the thread can hold.
    most_levels: usize,
}

/// An opening tag.
struct OpeningTag<'s> {
    call: CallNode<'s>,
    block_params: Vec<Cow<'s, str>>,
    strip: Strip,
    span: Span,
}

/// The branch after an `{{else}}`, or the block of an `{{else name}}`.
struct InverseBranch<'s> {
    strip: Strip,
    program: Program<'s>,
}

impl<'s> TemplateParser<'s, '_> {
    fn next(&mut self) -> Result<Token<'s>> {
        self.ahead.take().map_or_else(|| self.lexer.next(), Ok)
    }

    fn peek(&mut self) -> Result<&K<'s>> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        Ok(&self.ahead.insert(token).kind)
    }

    fn unexpected(&self, token: &Token<'_>, wanted: &str) -> Error {
        if token.kind == K::Eof {
            let error = Error::new(Kind::TemplateSyntax, "this tag is never closed");
            return error
                .at(self.open.last().map_or(token.start, |span| span.start))
                .with_hint("end it with `}}`");
        }
        let shown = &self.source[token.start..token.end];
        let shown: String = shown.chars().take(30).collect();
        error(token, format!("expected {wanted}, found `{}`", shown.trim_end()))
    }

    /// The name in an end tag, for error messages.
    fn name_after(&self, at: usize) -> String {
        let rest = self.source[at..].trim_start();
        rest[..rest.find("}}").unwrap_or(rest.len())].trim_end_matches('~').trim().chars().take(60).collect()
    }

    /// Records that a tag or parenthesis is open, unless the nesting limit is reached.
    fn enter(&mut self, span: Span) -> Result<()> {
        let limit = self.limits.nesting.min(MAX_NESTING);
        if self.open.len() >= limit {
            return Err(Error::new(
                Kind::TemplateSyntax,
                format!("blocks and subexpressions are nested more than {limit} levels deep"),
            )
            .at(span.start)
            .with_hint("move inner blocks into partials, or raise limits.nesting"));
        }
        if self.open.len() > self.most_levels {
            return Err(stack_room::full(Kind::TemplateSyntax).at(span.start));
        }
        self.open.push(span);
        self.depth = self.depth.max(self.open.len());
        Ok(())
    }

    fn program(&mut self) -> Result<Program<'s>> {
        let mut body = Vec::new();
        loop {
            let token = self.next()?;
            let span = Span { start: token.start, end: token.end };
            body.push(match token.kind {
                K::Content(text) => content(text, span),
                K::Comment(open, close) => {
                    let inside = span.start + 3 + usize::from(open)..span.end - 2 - usize::from(close);
                    let text = &self.source[inside];
                    Statement::Comment(CommentNode { text, strip: Strip { open, close }, span })
                }
                K::Open { .. } | K::OpenUnescaped(_) => self.mustache(&token)?,
                K::OpenBlock { decorator, .. } => self.block(&token, decorator)?,
                K::OpenInverse(_) => self.inverse_block(&token)?,
                K::OpenRawBlock => self.raw_block(&token)?,
                K::OpenPartial(_) => self.partial(&token)?,
                K::OpenPartialBlock(_) => self.partial_block(&token)?,
                _ => {
                    self.ahead = Some(token);
                    return Ok(Program { body, ..Program::default() });
                }
            });
        }
    }

    fn mustache(&mut self, token: &Token<'s>) -> Result<Statement<'s>> {
        self.enter(Span { start: token.start, end: token.end })?;
        let (tilde, escaped) = match token.kind {
            K::Open { decorator: true, .. } => {
                return Err(error(token, "decorators other than `inline` are not supported")
                    .with_hint("write an inline partial as `{{#*inline \"name\"}} … {{/inline}}`"));
            }
            K::Open { tilde, raw, .. } => (tilde, !raw),
            K::OpenUnescaped(tilde) => (tilde, false),
            _ => return Err(self.unexpected(token, "a tag")),
        };
        let unescaped = matches!(token.kind, K::OpenUnescaped(_));
        let call = self.call()?;
        let end = self.next()?;
        let close = match end.kind {
            K::Close(tilde) if !unescaped => tilde,
            K::CloseUnescaped(tilde) if unescaped => tilde,
            _ if unescaped => return Err(self.unexpected(&end, "`}}}`")),
            K::CloseUnescaped(_) => return Err(self.unexpected(&end, "`}}`")),
            _ => return Err(self.unexpected(&end, "`}}` or an argument")),
        };
        self.open.pop();
        Ok(Statement::Mustache(MustacheNode {
            call,
            escaped,
            strip: Strip { open: tilde, close },
            span: Span { start: token.start, end: end.end },
        }))
    }

    fn block(&mut self, token: &Token<'s>, decorator: bool) -> Result<Statement<'s>> {
        let mut opening = self.opening(token)?;
        let mut program = self.program()?;
        program.block_params = std::mem::take(&mut opening.block_params);
        let inverse = if decorator { None } else { self.inverse_chain()? };
        let close = self.end_tag(&opening)?;
        self.open.pop();
        if decorator {
            return inline(opening, program, close);
        }
        Ok(Statement::Block(Box::new(block_of(opening, program, inverse, Some(close)))))
    }

    /// `{{^name}} … {{else}} … {{/name}}`
    fn inverse_block(&mut self, token: &Token<'s>) -> Result<Statement<'s>> {
        let mut opening = self.opening(token)?;
        let mut inverse = self.program()?;
        inverse.block_params = std::mem::take(&mut opening.block_params);
        let other = match self.peek()? {
            K::Inverse(..) => Some(self.else_branch()?),
            _ => None,
        };
        let close_strip = self.end_tag(&opening)?;
        self.open.pop();
        let (program, inverse_strip) = other.map(|other| (other.program, other.strip)).unzip();
        Ok(Statement::Block(Box::new(BlockNode {
            call: opening.call,
            program,
            inverse: Some(inverse),
            open_strip: opening.strip,
            inverse_strip: inverse_strip.unwrap_or_default(),
            close_strip,
            open_line_break: "",
            close_line_break: "",
            raw: false,
            span: opening.span,
        })))
    }

    fn else_branch(&mut self) -> Result<InverseBranch<'s>> {
        let token = self.next()?;
        let K::Inverse(open, close) = token.kind else { return Err(self.unexpected(&token, "`{{else}}`")) };
        Ok(InverseBranch { strip: Strip { open, close }, program: self.program()? })
    }

    /// The part after the first branch: nothing, `{{else}}`, or a chain of `{{else name}}`.
    fn inverse_chain(&mut self) -> Result<Option<InverseBranch<'s>>> {
        match self.peek()? {
            K::Inverse(..) => self.else_branch().map(Some),
            K::OpenInverseChain(_) => {
                let token = self.next()?;
                let mut opening = self.opening(&token)?;
                let strip = opening.strip;
                let mut program = self.program()?;
                program.block_params = std::mem::take(&mut opening.block_params);
                let inverse = self.inverse_chain()?;
                self.open.pop();
                let close = inverse.as_ref().map(|inverse| inverse.strip);
                let block = block_of(opening, program, inverse, close);
                Ok(Some(InverseBranch {
                    strip,
                    program: Program {
                        body: vec![Statement::Block(Box::new(block))],
                        chained: true,
                        ..Program::default()
                    },
                }))
            }
            _ => Ok(None),
        }
    }

    /// Parses an opening tag to its end. It stays recorded as open; the caller removes it.
    fn opening(&mut self, token: &Token<'s>) -> Result<OpeningTag<'s>> {
        self.enter(Span { start: token.start, end: token.end })?;
        let (K::OpenBlock { tilde, .. } | K::OpenInverse(tilde) | K::OpenInverseChain(tilde)) = token.kind
        else {
            return Err(self.unexpected(token, "a block"));
        };
        let call = self.call()?;
        let block_params = self.block_params()?;
        let end = self.next()?;
        let K::Close(close) = end.kind else { return Err(self.unexpected(&end, "`}}` or an argument")) };
        let span = Span { start: token.start, end: end.end };
        Ok(OpeningTag { call, block_params, strip: Strip { open: tilde, close }, span })
    }

    fn block_params(&mut self) -> Result<Vec<Cow<'s, str>>> {
        if !matches!(self.peek()?, K::OpenBlockParams) {
            return Ok(Vec::new());
        }
        self.next()?;
        let mut names = Vec::new();
        loop {
            let token = self.next()?;
            match token.kind {
                K::Id { text, .. } => names.push(text),
                K::CloseBlockParams if !names.is_empty() => return Ok(names),
                _ => return Err(self.unexpected(&token, "a name for a block parameter")),
            }
        }
    }

    /// Parses the closing tag of a block, which must repeat the block's name.
    fn end_tag(&mut self, opening: &OpeningTag<'s>) -> Result<Strip> {
        let name = opening.call.callee.name();
        self.end_tag_named(&name, opening.span)
    }

    fn end_tag_named(&mut self, name: &str, span: Span) -> Result<Strip> {
        let token = self.next()?;
        let K::OpenEndBlock(open) = token.kind else {
            return Err(match token.kind {
                K::Eof => Error::new(
                    Kind::TemplateSyntax,
                    format!("block `{name}` is opened here and never closed"),
                )
                .at(span.start)
                .with_hint(format!("close it with `{{{{/{name}}}}}`")),
                K::Inverse(..) | K::OpenInverseChain(_) => {
                    error(&token, format!("block `{name}` already has an `else`"))
                }
                _ => self.unexpected(&token, &format!("`{{{{/{name}}}}}`")),
            });
        };
        let closing = self.callee()?;
        let end = self.next()?;
        let K::Close(close) = end.kind else { return Err(self.unexpected(&end, "`}}`")) };
        let closing = closing.name();
        if closing != name {
            let opened = Place::of(None, self.source, span.start);
            return Err(error(
                &token,
                format!("`{{{{/{closing}}}}}` closes a block that was opened as `{name}`"),
            )
            .with_hint(format!(
                "close `{name}`, opened at line {}, column {}, with `{{{{/{name}}}}}`",
                opened.line, opened.column
            )));
        }
        Ok(Strip { open, close })
    }

    fn raw_block(&mut self, token: &Token<'s>) -> Result<Statement<'s>> {
        self.enter(Span { start: token.start, end: token.end })?;
        let call = self.call()?;
        let end = self.next()?;
        if !matches!(end.kind, K::CloseRawBlock) {
            return Err(self.unexpected(&end, "`}}}}` or an argument"));
        }
        let span = Span { start: token.start, end: end.end };
        let mut body = Vec::new();
        let closing = loop {
            let token = self.next().map_err(|_| {
                Error::new(Kind::TemplateSyntax, "this raw block is opened here and never closed")
                    .at(span.start)
            })?;
            match token.kind {
                K::Content(text) => {
                    body.push(content(text, Span { start: token.start, end: token.end }));
                }
                K::EndRawBlock(name) => break (name, token.start),
                _ => return Err(self.unexpected(&token, "the end of the raw block")),
            }
        };
        let name = call.callee.name();
        if closing.0 != name {
            return Err(Error::new(
                Kind::TemplateSyntax,
                format!("`{}` closes a raw block that was opened as `{name}`", closing.0),
            )
            .at(closing.1));
        }
        self.open.pop();
        Ok(Statement::Block(Box::new(BlockNode {
            call,
            program: Some(Program { body, ..Program::default() }),
            inverse: None,
            open_strip: Strip::default(),
            inverse_strip: Strip::default(),
            close_strip: Strip::default(),
            open_line_break: "",
            close_line_break: "",
            raw: true,
            span,
        })))
    }

    fn partial(&mut self, token: &Token<'s>) -> Result<Statement<'s>> {
        let partial = self.partial_tag(token)?;
        self.open.pop();
        Ok(Statement::Partial(Box::new(partial)))
    }

    fn partial_block(&mut self, token: &Token<'s>) -> Result<Statement<'s>> {
        let partial = self.partial_tag(token)?;
        let program = self.program()?;
        let name = partial.name.name();
        let close_strip = self.end_tag_named(&name, partial.span)?;
        self.open.pop();
        Ok(Statement::PartialBlock(Box::new(PartialBlockNode { partial, program, close_strip })))
    }

    fn partial_tag(&mut self, token: &Token<'s>) -> Result<PartialNode<'s>> {
        self.enter(Span { start: token.start, end: token.end })?;
        let (K::OpenPartial(open) | K::OpenPartialBlock(open)) = token.kind else {
            return Err(self.unexpected(token, "a partial"));
        };
        let name = self.argument()?;
        let ArgumentNodes { params, hash } = self.arguments()?;
        let end = self.next()?;
        let K::Close(close) = end.kind else { return Err(self.unexpected(&end, "`}}` or an argument")) };
        let mut params = params.into_iter();
        let context = params.next();
        if params.next().is_some() {
            return Err(error(token, "a partial takes only one value without a name, its context")
                .with_hint("pass the other values by name: `{{> partial context key=value}}`"));
        }
        Ok(PartialNode {
            name,
            context,
            hash,
            strip: Strip { open, close },
            indent: String::new(),
            line_break: "",
            span: Span { start: token.start, end: end.end },
        })
    }

    /// A name and its arguments.
    fn call(&mut self) -> Result<CallNode<'s>> {
        let callee = self.callee()?;
        if matches!(self.peek()?, K::Close(_)) {
            let span = callee.span;
            return Ok(CallNode { callee, arguments: None, span });
        }
        let arguments = self.arguments()?;
        let last = arguments.hash.last().map(|(_, value)| value).or(arguments.params.last());
        let end = last.map_or(callee.span.end, |value| value.span.end);
        let span = Span { start: callee.span.start, end };
        let is_empty = arguments.params.is_empty() && arguments.hash.is_empty();
        Ok(CallNode { callee, arguments: (!is_empty).then(|| Box::new(arguments)), span })
    }

    fn arguments(&mut self) -> Result<ArgumentNodes<'s>> {
        let (mut params, mut hash) = (Vec::new(), Vec::new());
        loop {
            match self.peek()? {
                K::Id { .. } => {
                    let token = self.next()?;
                    match token.kind {
                        K::Id { text, .. } if matches!(self.peek()?, K::Equals) => {
                            self.next()?;
                            hash.push((text, self.argument()?));
                        }
                        _ if hash.is_empty() => {
                            let start = token.start;
                            params.push(self.path(token, false, start)?);
                        }
                        _ => {
                            return Err(error(
                                &token,
                                "an argument without a name cannot follow a named one",
                            )
                            .with_hint("put `name=value` arguments last"));
                        }
                    }
                }
                K::OpenSexpr
                | K::String(_)
                | K::Number(_)
                | K::Bool(_)
                | K::Undefined
                | K::Null
                | K::Data
                    if hash.is_empty() =>
                {
                    params.push(self.argument()?);
                }
                _ => return Ok(ArgumentNodes { params, hash }),
            }
        }
    }

    fn argument(&mut self) -> Result<ExprNode<'s>> {
        if matches!(self.peek()?, K::OpenSexpr) { self.subexpression() } else { self.callee() }
    }

    fn subexpression(&mut self) -> Result<ExprNode<'s>> {
        let token = self.next()?;
        self.enter(Span { start: token.start, end: token.end })?;
        let call = self.call()?;
        let end = self.next()?;
        if !matches!(end.kind, K::CloseSexpr) {
            return Err(self.unexpected(&end, "`)` or an argument"));
        }
        self.open.pop();
        let span = Span { start: token.start, end: end.end };
        Ok(ExprNode { kind: ExprNodeKind::Call(Box::new(CallNode { span, ..call })), span })
    }

    /// A path or a literal.
    fn callee(&mut self) -> Result<ExprNode<'s>> {
        let token = self.next()?;
        let span = Span { start: token.start, end: token.end };
        let kind = match token.kind {
            K::String(text) => ExprNodeKind::String(text),
            K::Number(text) => ExprNodeKind::Number(text),
            K::Bool(value) => ExprNodeKind::Bool(value),
            K::Undefined => ExprNodeKind::Undefined,
            K::Null => ExprNodeKind::Null,
            K::Data => {
                let first = self.next()?;
                return self.path(first, true, token.start);
            }
            K::Id { .. } => return self.path(token, false, span.start),
            K::Close(_) | K::CloseUnescaped(_) => {
                return Err(error(&token, "this tag is empty")
                    .with_hint("write a variable name in it; to print the braces as text, write `\\{{`"));
            }
            _ => return Err(self.unexpected(&token, "a name or a value")),
        };
        Ok(ExprNode { kind, span })
    }

    fn path(&mut self, first: Token<'s>, data: bool, start: usize) -> Result<ExprNode<'s>> {
        if let K::Id { text: name @ Cow::Borrowed(_), bracketed: false } = &first.kind
            && !data
            && !is_context_word(name)
            && !matches!(self.peek()?, K::Sep)
        {
            let path = PathNode {
                original: name.clone(),
                scoped: is_scoped(name),
                parts: PathParts::One([name.clone()]),
                ..PathNode::default()
            };
            let span = Span { start, end: first.end };
            return Ok(ExprNode { kind: ExprNodeKind::Path(path), span });
        }
        self.longer_path(first, data, start)
    }

    fn longer_path(&mut self, first: Token<'s>, data: bool, start: usize) -> Result<ExprNode<'s>> {
        let mut path = PathNode { data, ..PathNode::default() };
        let mut parts = Vec::new();
        let mut spelling = PathText { source: self.source, start: first.start, end: first.start, own: None };
        if data {
            spelling.start = start;
            spelling.end = start + 1;
        }
        let mut token = first;
        loop {
            let K::Id { text, bracketed } = &token.kind else {
                let unexpected = self.unexpected(&token, "a name");
                return Err(match token.kind {
                    K::Number(index) => unexpected
                        .with_hint(format!("write an index at the end of a path in brackets: `[{index}]`")),
                    _ => unexpected,
                });
            };
            spelling.add(text, if *bracketed { None } else { Some(token.start) });
            if !bracketed && is_context_word(text) {
                if !parts.is_empty() {
                    return Err(error(&token, format!("`{text}` cannot follow a name in a path"))
                        .with_hint("if a key has this name, write it in brackets: `[..]`"));
                }
                path.depth += u32::from(text == "..");
            } else {
                parts.push(text.clone());
            }
            let end = token.end;
            if !matches!(self.peek()?, K::Sep) {
                path.original = spelling.text();
                path.parts = parts.into();
                path.scoped = is_scoped(&path.original);
                return Ok(ExprNode { kind: ExprNodeKind::Path(path), span: Span { start, end } });
            }
            let separator = self.next()?;
            spelling.add(&self.source[separator.start..separator.end], Some(separator.start));
            token = self.next()?;
        }
    }
}

/// Whether a word in a path is a context, and no name.
fn is_context_word(word: &str) -> bool {
    matches!(word, ".." | "." | "this")
}

/// The text of a path without its brackets. It borrows from the source as long as it is one continuous piece of it.
struct PathText<'s> {
    source: &'s str,
    start: usize,
    end: usize,
    own: Option<String>,
}

impl<'s> PathText<'s> {
    /// Appends a text. `at` is its place in the source, if it is there literally.
    fn add(&mut self, text: &str, at: Option<usize>) {
        if self.own.is_none() && at == Some(self.end) {
            self.end += text.len();
            return;
        }
        let own = self.own.get_or_insert_with(|| self.source[self.start..self.end].to_owned());
        own.push_str(text);
    }

    fn text(self) -> Cow<'s, str> {
        match self.own {
            Some(own) => own.into(),
            None => self.source[self.start..self.end].into(),
        }
    }
}

/// Whether a path is relative to the context by the test of handlebars.js: it begins with a dot, or some word in it
/// ends in `this`.
fn is_scoped(original: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let ends_in_this = |at| original[at..].strip_prefix("this").is_some_and(|after| !after.starts_with(word));
    original.starts_with('.') || memchr::memchr_iter(b't', original.as_bytes()).any(ends_in_this)
}

/// Makes an inline partial from a `{{#*inline "name"}}` tag and its content.
fn inline<'s>(opening: OpeningTag<'s>, program: Program<'s>, close_strip: Strip) -> Result<Statement<'s>> {
    let OpeningTag { call, strip, span, .. } = opening;
    let fail = |message: &str, hint: &str| {
        Error::new(Kind::TemplateSyntax, message).at(span.start).with_hint(hint.to_owned())
    };
    let usage = "write an inline partial as `{{#*inline \"name\"}} … {{/inline}}`";
    if call.callee.name() != "inline" {
        return Err(fail("decorators other than `inline` are not supported", usage));
    }
    let ArgumentNodes { params, hash } = call.arguments.map(|arguments| *arguments).unwrap_or_default();
    let mut params = params.into_iter();
    let (Some(name), None) = (params.next(), params.next()) else {
        return Err(fail("an inline partial needs exactly one name", usage));
    };
    Ok(Statement::Inline(Box::new(InlineNode { name, hash, program, open_strip: strip, close_strip, span })))
}

fn error(token: &Token<'_>, message: impl Into<String>) -> Error {
    Error::new(Kind::TemplateSyntax, message).at(token.start)
}

fn content(original: Cow<'_, str>, span: Span) -> Statement<'_> {
    let to = original.len();
    Statement::Content(ContentNode {
        original,
        from: 0,
        to,
        left_stripped: false,
        right_stripped: false,
        span,
    })
}

/// Makes a block from an opening tag and its branches. `close` is the strip of the tag that ends the last branch. The
/// last block of a chain has no closing tag of its own and takes that of the whole chain.
fn block_of<'s>(
    opening: OpeningTag<'s>,
    program: Program<'s>,
    inverse: Option<InverseBranch<'s>>,
    close: Option<Strip>,
) -> BlockNode<'s> {
    let (mut inverse, inverse_strip) = inverse.map(|inverse| (inverse.program, inverse.strip)).unzip();
    if let (Some(chained), Some(close)) = (inverse.as_mut().filter(|inverse| inverse.chained), close)
        && let Some(Statement::Block(block)) = chained.body.first_mut()
    {
        block.close_strip = close;
    }
    BlockNode {
        call: opening.call,
        program: Some(program),
        inverse,
        open_strip: opening.strip,
        inverse_strip: inverse_strip.unwrap_or_default(),
        close_strip: close.unwrap_or_default(),
        open_line_break: "",
        close_line_break: "",
        raw: false,
        span: opening.span,
    }
}
