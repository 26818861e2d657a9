//! The compiled program that the renderer executes, and the compiler that makes it from the syntax tree.
//!
//! The compiler resolves names as far as the template alone allows: block parameters become positions, built-in blocks
//! become instructions, `@` names get their meaning, and contents with nothing between them become one text.

use std::borrow::Cow;
use std::sync::Arc;

use super::TemplateOptions;
use super::ast::{self, ExprNodeKind, Span, Statement};
use super::context::{Style, Text};
use super::fence;
use super::helpers::{self, BuiltinHelper, HelperSignature};
use super::hints;
use super::inlines::InlineSet;
use super::render::Library;
use crate::error::{Error, Kind, Result, nearest};
use crate::hash::{HashMap, HashSet};

/// The compiled statements of a template or branch.
#[derive(Debug)]
pub(super) struct CompiledProgram<T> {
    pub(super) nodes: Box<[Node<T>]>,
    /// The inline partials that are defined among the statements, if there are any. They are in scope for all of them.
    pub(super) inlines: Option<Arc<InlineSet<Inline<T>>>>,
    /// The number of block parameters.
    pub(super) params: usize,
}

#[derive(Debug)]
pub(super) enum Node<T> {
    Text(T),
    Print { expr: Expr<T>, style: Style },
    Block(Arc<Block<T>>),
    Partial(Arc<Partial<T>>),
}

#[derive(Debug)]
pub(super) struct Block<T> {
    pub(super) kind: BlockKind<T>,
    pub(super) body: CompiledProgram<T>,
    pub(super) inverse: CompiledProgram<T>,
    /// Whether the template says what to render without a value: it has an `{{else}}`, even an empty one.
    pub(super) has_inverse: bool,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum BlockKind<T> {
    /// `if`, and `unless` with `negate`.
    If {
        condition: Expr<T>,
        include_zero: Option<Expr<T>>,
        negate: bool,
    },
    Each(Expr<T>),
    With(Expr<T>),
    /// A fence around text, with the line breaks after its tags.
    Fence {
        name: Expr<T>,
        open_line_break: &'static str,
        close_line_break: &'static str,
    },
    /// A block on a helper that the caller registered.
    Helper(T, Call<T>),
    /// In the `handlebars` dialect: a block on a built-in helper, which prints the helper's result.
    Result(Expr<T>),
    /// A block on a value, passed to the `blockHelperMissing` that the caller registered.
    BlockHelperMissing {
        hook: T,
        name: Box<str>,
        value: Expr<T>,
    },
    /// A block on a value: a list is looped over, an object becomes the context, any other value is a condition.
    Value(Expr<T>),
}

#[derive(Debug)]
pub(super) struct Partial<T> {
    pub(super) name: PartialName<T>,
    pub(super) context: Option<Expr<T>>,
    pub(super) hash: Hash<T>,
    /// The block for `@partial-block`. It is also rendered in place of a partial that does not exist.
    pub(super) block: Option<CompiledProgram<T>>,
    pub(super) indent: Box<str>,
    /// The line break after the tag, which is written if the partial renders to text that does not end in one. Always
    /// empty in the `handlebars` dialect.
    pub(super) line_break: &'static str,
    pub(super) span: Span,
}

/// Named arguments.
pub(super) type Hash<T> = Box<[(T, Expr<T>)]>;

#[derive(Debug)]
pub(super) enum PartialName<T> {
    Fixed(Box<str>),
    /// `@partial-block`
    Block,
    Computed(Expr<T>),
}

#[derive(Debug)]
pub(super) struct Inline<T> {
    pub(super) name: Expr<T>,
    pub(super) body: CompiledProgram<T>,
}

#[derive(Debug)]
pub(super) struct Expr<T> {
    pub(super) kind: ExprKind<T>,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum ExprKind<T> {
    Literal(Literal<T>),
    Undefined,
    /// One name of the current context: the most common expression, which has a fast path.
    Member(T),
    /// Any other path.
    Path(ValuePath<T>),
    /// A helper with its arguments. Boxed to keep expressions small: most are plain names.
    Call(Box<Call<T>>),
    /// A name that is passed to the caller's `helperMissing` if it has no value.
    HelperMissing(Box<UnresolvedCall<T>>),
    /// A call of an unknown helper, which handlebars.js reports only when it renders.
    UnresolvedCall(Box<UnresolvedCall<T>>),
    /// A call that fails when it is evaluated, with the error message.
    InvalidCall(Box<str>),
}

#[derive(Debug)]
pub(super) struct UnresolvedCall<T> {
    pub(super) name: Box<str>,
    /// The name as a path in the context.
    pub(super) value: ValuePath<T>,
    /// The call that is passed to the caller's `helperMissing`.
    pub(super) call: Call<T>,
    /// Whether the caller has registered `helperMissing`.
    pub(super) hook: bool,
}

/// The position of a name with arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallSite {
    Tag,
    Parentheses,
    Block,
}

/// A literal in a template.
#[derive(Debug, Clone)]
pub enum Literal<T> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(T),
}

#[derive(Debug)]
pub(super) struct ValuePath<T> {
    pub(super) root: PathRoot,
    pub(super) parts: Box<[T]>,
}

impl<T> ValuePath<T> {
    pub(super) fn borrowed(&self) -> PathRef<'_, T> {
        PathRef { root: self.root, parts: &self.parts }
    }
}

/// A path that is part of an expression.
#[derive(Debug)]
pub(super) struct PathRef<'p, T> {
    pub(super) root: PathRoot,
    pub(super) parts: &'p [T],
}

impl<T> Clone for PathRef<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PathRef<'_, T> {}

impl<T> Expr<T> {
    /// The path, if the expression is one.
    pub(super) fn as_path(&self) -> Option<PathRef<'_, T>> {
        match &self.kind {
            ExprKind::Member(name) => {
                Some(PathRef { root: PathRoot::Context(0), parts: std::slice::from_ref(name) })
            }
            ExprKind::Path(path) => Some(path.borrowed()),
            _ => None,
        }
    }
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathRoot {
    /// The context this many levels up.
    Context(usize),
    /// The innermost context that has the path's first name.
    Recursive,
    /// A block parameter: the block, counted from the innermost one that has parameters, and the position of the
    /// parameter.
    Param { block: usize, index: usize },
    /// `@root`
    Top,
    /// `@index` and the like of the loop this many levels up. The name is the path's first part.
    Data(usize),
}

#[derive(Debug)]
pub(super) struct Call<T> {
    pub(super) callee: Callee<T>,
    pub(super) params: Box<[Expr<T>]>,
    pub(super) hash: Hash<T>,
}

#[derive(Debug)]
pub(super) enum Callee<T> {
    /// A built-in helper.
    Prompt(BuiltinHelper),
    /// A helper that the caller registered.
    Registered(T),
}

const HELPER_MISSING: &str = "helperMissing";

/// The built-in block of the `prompt` dialect.
const FENCE: &str = "fence";

/// The names of the built-in block helpers.
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

/// Compiles a syntax tree for rendering.
pub(super) fn lower<T: Text>(
    program: &ast::Program,
    options: &TemplateOptions,
    library: &dyn Library<T>,
) -> Result<CompiledProgram<T>> {
    Lowering { params: ParamScope::default(), options, library }.body(program)
}

/// Whether a helper of this name is built in, in one of the dialects.
pub(super) fn is_built_in(name: &str) -> bool {
    BLOCKS.contains(&name) || helpers::find(name).is_some()
}

/// The block parameters in scope.
#[derive(Default)]
struct ParamScope<'a> {
    blocks: usize,
    /// The parameters of each name: the block, counted from the outermost, and the position in it. The innermost is
    /// last.
    places: HashMap<&'a str, Vec<(usize, usize)>>,
}

impl<'a> ParamScope<'a> {
    fn open(&mut self, names: &'a [Cow<'_, str>]) {
        for (index, name) in names.iter().enumerate() {
            let places = self.places.entry(name).or_default();
            // Of two parameters with the same name in one block, the first counts.
            if places.last().is_none_or(|(block, _)| *block != self.blocks) {
                places.push((self.blocks, index));
            }
        }
        self.blocks += 1;
    }

    fn close(&mut self, names: &[Cow<'_, str>]) {
        self.blocks -= 1;
        for name in names {
            if let Some(places) = self.places.get_mut(&**name) {
                places.pop_if(|(block, _)| *block == self.blocks);
            }
        }
    }

    fn find(&self, name: &str) -> Option<PathRoot> {
        let (block, index) = *self.places.get(name)?.last()?;
        Some(PathRoot::Param { block: self.blocks - 1 - block, index })
    }
}

struct Lowering<'a, T> {
    params: ParamScope<'a>,
    options: &'a TemplateOptions,
    /// Knows the helpers that the caller registered.
    library: &'a dyn Library<T>,
}

impl<'a, T: Text> Lowering<'a, T> {
    fn body(&mut self, program: &'a ast::Program) -> Result<CompiledProgram<T>> {
        let named = !program.block_params.is_empty();
        if named {
            self.params.open(&program.block_params);
        }
        let mut nodes = Vec::with_capacity(program.body.len());
        let mut inlines = Vec::new();
        let mut text: Cow<'_, str> = Cow::Borrowed("");
        for statement in &program.body {
            let node = match statement {
                Statement::Content(content) => {
                    // If the text is still empty this borrows the content and copies nothing.
                    text += content.value();
                    continue;
                }
                Statement::Comment(_) => continue,
                Statement::Inline(inline) => {
                    self.check_inline_names(inline)?;
                    let name = self.expr(&inline.name)?;
                    let fixed = match &name.kind {
                        ExprKind::Literal(Literal::Text(text)) => Some(text.as_str().into()),
                        _ => None,
                    };
                    inlines.push((fixed, Inline { name, body: self.body(&inline.program)? }));
                    continue;
                }
                Statement::Mustache(mustache) => {
                    self.check_printed(&mustache.call)?;
                    let expr = self.call(&mustache.call, CallSite::Tag)?;
                    Node::Print { expr, style: self.options.style(mustache.escaped) }
                }
                Statement::Block(block) if self.is_literal_text(block) => {
                    let body = block.program.iter().flat_map(|program| &program.body);
                    for statement in body {
                        if let Statement::Content(content) = statement {
                            text += content.value();
                        }
                    }
                    continue;
                }
                Statement::Block(block) => Node::Block(Arc::new(self.block(block)?)),
                Statement::Partial(partial) => Node::Partial(Arc::new(self.partial(partial, None)?)),
                Statement::PartialBlock(block) => {
                    Node::Partial(Arc::new(self.partial(&block.partial, Some(&block.program))?))
                }
            };
            if !text.is_empty() {
                nodes.push(Node::Text(T::new(&text)));
                text = Cow::Borrowed("");
            }
            nodes.push(node);
        }
        if !text.is_empty() {
            nodes.push(Node::Text(T::new(&text)));
        }
        if named {
            self.params.close(&program.block_params);
        }
        Ok(CompiledProgram {
            nodes: nodes.into_boxed_slice(),
            inlines: (!inlines.is_empty()).then(|| Arc::new(InlineSet::new(inlines))),
            params: program.block_params.len(),
        })
    }

    /// Whether a block is a raw block that calls no helper: `{{{{raw}}}} … {{{{/raw}}}}`. handlebars.js prints nothing
    /// for it; the `prompt` dialect prints the text inside.
    fn is_literal_text(&self, block: &ast::BlockNode) -> bool {
        block.raw
            && self.options.dialect.prints_raw_blocks()
            && is_plain(&block.call)
            && !self.library.has_helper(&block.call.callee.name())
    }

    fn branch(&mut self, program: Option<&'a ast::Program>) -> Result<CompiledProgram<T>> {
        match program {
            Some(program) => self.body(program),
            None => Ok(CompiledProgram { nodes: Box::default(), inlines: None, params: 0 }),
        }
    }

    fn block(&mut self, block: &'a ast::BlockNode) -> Result<Block<T>> {
        Ok(Block {
            kind: self.block_kind(block)?,
            body: self.branch(block.program.as_ref())?,
            inverse: self.branch(block.inverse.as_ref())?,
            has_inverse: block.inverse.is_some(),
            span: block.span,
        })
    }

    fn block_kind(&mut self, block: &'a ast::BlockNode) -> Result<BlockKind<T>> {
        let call = &block.call;
        let Some(name) = self.helper_name(call) else { return self.value_block(call) };
        let results = self.options.dialect.prints_results_of_blocks() && self.prompt_helper(&name).is_some();
        if results && !self.library.has_helper(&name) {
            return Ok(BlockKind::Result(self.call(call, CallSite::Block)?));
        }
        self.check_known(&name, call)?;
        if self.is_registered(&name) {
            return Ok(BlockKind::Helper(T::new(&name), self.registered_call(&name, call)?));
        }
        if name == FENCE && !is_plain(call) && self.options.dialect.has_prompt_helpers() {
            return self.fence(block);
        }
        if !BLOCKS.contains(&&*name) {
            self.check_is_condition(&name, call)?;
            return self.value_block(call);
        }
        let [argument] = call.params() else {
            let message = format!("`{name}` takes exactly one argument, found {}", call.params().len());
            return Ok(BlockKind::Value(self.invalid_call(call, message, None)?));
        };
        self.check_block_names(&name, call)?;
        let argument = self.expr(argument)?;
        let include_zero = self.option(call, "includeZero")?;
        Ok(match &*name {
            "if" => BlockKind::If { condition: argument, include_zero, negate: false },
            "unless" => BlockKind::If { condition: argument, include_zero, negate: true },
            "each" => BlockKind::Each(argument),
            _ => BlockKind::With(argument),
        })
    }

    /// Refuses a named argument that a block helper does not take, so that its value does not vanish. handlebars.js
    /// ignores it.
    fn check_block_names(&self, name: &str, call: &ast::CallNode) -> Result<()> {
        let is_condition = matches!(name, "if" | "unless");
        let stray = call.hash().iter().find(|(key, _)| !is_condition || key != "includeZero");
        let Some((stray, _)) = stray.filter(|_| !self.options.is_javascript()) else { return Ok(()) };
        let usage = match name {
            _ if is_condition => format!("{{{{#{name} value includeZero=true}}}}"),
            "each" => "{{#each list as |item|}}".to_owned(),
            _ => "{{#with value as |name|}}".to_owned(),
        };
        let message = format!("`{name}` takes no argument named `{stray}`");
        let error = Error::new(Kind::TemplateSyntax, message).at(call.span.start);
        Err(error.with_hint(format!("write `{usage}`")))
    }

    fn check_inline_names(&self, inline: &ast::InlineNode) -> Result<()> {
        let Some((stray, _)) = inline.hash.first().filter(|_| !self.options.is_javascript()) else {
            return Ok(());
        };
        let message = format!("an inline partial takes no argument named `{stray}`");
        Err(Error::new(Kind::TemplateSyntax, message)
            .at(inline.span.start)
            .with_hint(format!("pass it where the partial is used: `{{{{> name {stray}=value}}}}`")))
    }

    /// Refuses an argument that is given twice. In handlebars.js the last one counts.
    fn check_repeated(&self, hash: &[(Cow<'_, str>, ast::ExprNode)]) -> Result<()> {
        if self.options.is_javascript() || hash.len() < 2 {
            return Ok(());
        }
        let mut names = HashSet::default();
        let Some((name, value)) = hash.iter().find(|(name, _)| !names.insert(&**name)) else { return Ok(()) };
        let message = format!("the argument `{name}` is given twice");
        Err(Error::new(Kind::TemplateSyntax, message).at(value.span.start).with_hint("remove one of the two"))
    }

    /// Refuses a block on a built-in helper whose value the block would lose. A comparison is a condition.
    fn check_is_condition(&self, name: &str, call: &ast::CallNode) -> Result<()> {
        let found = self
            .prompt_helper(name)
            .filter(|_| !self.options.dialect.prints_results_of_blocks() && !is_plain(call));
        let Some(signature) = found.filter(|signature| !signature.helper.is_comparison()) else {
            return Ok(());
        };
        let message = format!("`{name}` is no block helper");
        let usage = signature.usage;
        let hint = format!(
            "write `{usage}`; for a block on its value, write `{{{{#with ({name} …)}}}}` or `{{{{#if ({name} …)}}}}`"
        );
        Err(Error::new(Kind::TemplateSyntax, message).at(call.span.start).with_hint(hint))
    }

    fn fence(&mut self, block: &'a ast::BlockNode) -> Result<BlockKind<T>> {
        let call = &block.call;
        let refuse = |message: &str| {
            Error::new(Kind::TemplateSyntax, message)
                .at(call.span.start)
                .with_hint("write `{{#fence \"document\"}} … {{/fence}}`")
        };
        let ([name], true) = (call.params(), call.hash().is_empty()) else {
            return Err(refuse("`fence` takes exactly one argument, the name of its tag"));
        };
        if block.inverse.is_some() {
            return Err(refuse("`fence` has no `{{else}}`"));
        }
        if let ExprNodeKind::String(name) = &name.kind {
            fence::check_name(name).map_err(|error| {
                let message = error.message().to_owned();
                error.recast(Kind::TemplateSyntax, message).at(call.span.start)
            })?;
        }
        let (open_line_break, close_line_break) = (block.open_line_break, block.close_line_break);
        Ok(BlockKind::Fence { name: self.expr(name)?, open_line_break, close_line_break })
    }

    fn value_block(&mut self, call: &'a ast::CallNode) -> Result<BlockKind<T>> {
        const HOOK: &str = "blockHelperMissing";
        let value = self.call(call, CallSite::Block)?;
        if !self.options.dialect.prints_results_of_blocks() {
            return Ok(BlockKind::Value(value));
        }
        if !is_plain(call) {
            return Ok(BlockKind::Result(value));
        }
        if !self.library.has_helper(HOOK) {
            return Ok(BlockKind::Value(value));
        }
        let name = match self.helper_name(call) {
            Some(name) => name,
            None => call.callee.name(),
        };
        Ok(BlockKind::BlockHelperMissing { hook: T::new(HOOK), name: (*name).into(), value })
    }

    /// Refuses a helper that is not known, if only known helpers are allowed.
    fn check_known(&self, name: &str, call: &ast::CallNode) -> Result<()> {
        if self.options.known_helpers_only && !self.is_known(name) {
            let message = format!("`{name}` is not a known helper, and known_helpers_only is set");
            return Err(Error::new(Kind::TemplateSyntax, message).at(call.span.start));
        }
        Ok(())
    }

    /// Refuses to print `@partial-block`, which is a block. In handlebars.js it is a function, which a tag calls.
    fn check_printed(&self, call: &ast::CallNode) -> Result<()> {
        let is_block = call.callee.as_path().is_some_and(|path| path.original == ast::PARTIAL_BLOCK);
        if !is_block || !self.options.dialect.checks_calls() {
            return Ok(());
        }
        Err(Error::new(Kind::TemplateSyntax, "`@partial-block` is a block, and has no text of its own")
            .at(call.span.start)
            .with_hint("render it here with `{{> @partial-block}}`"))
    }

    /// Reports an invalid call: at once, or in the `handlebars` dialect when it is rendered, as handlebars.js does.
    fn invalid_call(&self, call: &ast::CallNode, message: String, hint: Option<String>) -> Result<Expr<T>> {
        if !self.options.dialect.checks_calls() {
            return Ok(Expr { kind: ExprKind::InvalidCall(message.into()), span: call.span });
        }
        Err(Error::new(Kind::TemplateSyntax, message).at(call.span.start).with_optional_hint(hint))
    }

    fn option(&mut self, call: &'a ast::CallNode, name: &str) -> Result<Option<Expr<T>>> {
        let found = call.hash().iter().find(|(key, _)| key == name);
        found.map(|(_, value)| self.expr(value)).transpose()
    }

    fn partial(
        &mut self,
        partial: &'a ast::PartialNode,
        block: Option<&'a ast::Program>,
    ) -> Result<Partial<T>> {
        let name = match partial.name.as_path() {
            Some(path) if path.original == ast::PARTIAL_BLOCK => PartialName::Block,
            Some(path) => PartialName::Fixed((*path.original).into()),
            None => PartialName::Computed(self.expr(&partial.name)?),
        };
        Ok(Partial {
            name,
            context: partial.context.as_ref().map(|context| self.expr(context)).transpose()?,
            hash: self.hash(&partial.hash)?,
            block: block.map(|program| self.body(program)).transpose()?,
            indent: partial.indent.as_str().into(),
            line_break: if self.options.dialect.keeps_line_breaks() { partial.line_break } else { "" },
            span: partial.span,
        })
    }

    fn hash(&mut self, hash: &'a [(Cow<'_, str>, ast::ExprNode)]) -> Result<Hash<T>> {
        self.check_repeated(hash)?;
        // As in handlebars.js, the literal `undefined` is an argument that is not given.
        let given = hash.iter().filter(|(_, value)| !matches!(value.kind, ast::ExprNodeKind::Undefined));
        let mut named: Vec<_> =
            given.map(|(name, value)| Ok((T::new(name), self.expr(value)?))).collect::<Result<_>>()?;
        if self.options.dialect.reorders_named_arguments() {
            // handlebars.js assigns the named arguments last to first, which shows in the order of the keys.
            named.reverse();
            let index = |name: &T| {
                name.as_str().parse::<u32>().ok().filter(|index| index.to_string() == name.as_str())
            };
            named.sort_by_key(|(name, _)| index(name).map_or((1, 0), |index| (0, index)));
        }
        Ok(named.into())
    }

    /// The name, if it can be a helper's: a single plain name that no block parameter hides.
    fn helper_name(&self, call: &'a ast::CallNode) -> Option<Cow<'a, str>> {
        let name = match call.callee.as_path()? {
            Cow::Borrowed(path) => Cow::Borrowed(self.name_in(path)?),
            Cow::Owned(path) => Cow::Owned(self.name_in(&path)?.to_owned()),
        };
        if self.params.find(&name).is_some() {
            return None;
        }
        if is_plain(call) && self.options.known_helpers_only && !self.is_known(&name) {
            return None;
        }
        Some(name)
    }

    fn name_in<'p>(&self, path: &'p ast::PathNode) -> Option<&'p str> {
        // In handlebars.js `@name` can be a helper's name too.
        let own = || self.options.dialect.allows_data_names() && path.data && path.depth == 0;
        path.simple_name().or_else(|| match &*path.parts {
            [name] if own() => Some(name),
            _ => None,
        })
    }

    fn is_known(&self, name: &str) -> bool {
        BLOCKS.contains(&name)
            || (name == FENCE && self.options.dialect.has_prompt_helpers())
            || matches!(name, "lookup" | "log" | "helperMissing" | "blockHelperMissing")
            || self.options.known_helpers.iter().any(|known| **known == *name)
            || self.prompt_helper(name).is_some()
    }

    /// Whether the caller registered a helper of this name, or announced one that is registered before a render.
    fn is_registered(&self, name: &str) -> bool {
        self.library.has_helper(name) || self.options.announces_helper(name)
    }

    /// The built-in helper of this name, if the dialect has it.
    fn prompt_helper(&self, name: &str) -> Option<&'static HelperSignature> {
        let own = |signature: &&HelperSignature| {
            self.options.dialect.has_prompt_helpers()
                || matches!(signature.helper, BuiltinHelper::Lookup | BuiltinHelper::Log)
        };
        helpers::find(name).filter(own)
    }

    /// Compiles a name with or without arguments, in a tag, in parentheses or at the opening of a block.
    fn call(&mut self, call: &'a ast::CallNode, place: CallSite) -> Result<Expr<T>> {
        let calls = !is_plain(call) || place == CallSite::Parentheses;
        let span = call.span;
        let name = self.helper_name(call);
        if let Some(name) = name.as_deref() {
            self.check_known(name, call)?;
            if self.is_registered(name) {
                return Ok(Expr { kind: ExprKind::Call(Box::new(self.registered_call(name, call)?)), span });
            }
            // In the `prompt` dialect a built-in helper without arguments is the variable of that name.
            let is_builtin = calls || !self.options.dialect.prefers_variables();
            let is_fence = name == FENCE && self.options.dialect.has_prompt_helpers();
            if is_builtin && (BLOCKS.contains(&name) || is_fence) {
                return self.invalid_call(
                    call,
                    format!("`{name}` is a block helper"),
                    Some(format!(
                        "open it with `{{{{#{name} …}}}}`; for a variable of this name, write `{{{{./{name}}}}}`"
                    )),
                );
            }
            if is_builtin && let Some(signature) = self.prompt_helper(name) {
                return self.helper(signature, call);
            }
        }
        let known = |name: &&str| self.options.known_helpers.iter().any(|known| &**known == *name);
        if let Some(name) = name.as_deref().filter(|name| !self.options.dialect.checks_calls() && known(name))
        {
            return self.invalid_call(call, format!("the known helper `{name}` is not registered"), None);
        }
        let path = call.callee.as_path();
        if let Some(first) = path.as_ref().and_then(|path| path.parts.first())
            && calls
            && self.options.dialect.calls_by_first_name()
        {
            // handlebars.js calls a known helper if the path begins with its name, whatever follows.
            self.check_known(first, call)?;
            if self.options.known_helpers.iter().any(|known| **known == **first)
                && self.library.has_helper(first)
            {
                return Ok(Expr { kind: ExprKind::Call(Box::new(self.registered_call(first, call)?)), span });
            }
        }
        match path {
            Some(path) if !calls => {
                let asked = name.is_some() && self.asks_helper_missing();
                let kind = if asked {
                    ExprKind::HelperMissing(Box::new(UnresolvedCall {
                        name: path.parts.first().map(AsRef::as_ref).unwrap_or_default().into(),
                        ..self.unknown(&path, call)?
                    }))
                } else {
                    self.path_kind(&path)
                };
                Ok(Expr { kind, span })
            }
            None => self.expr(&call.callee),
            Some(path) => self.unknown_helper(&path, call),
        }
    }

    /// A call of an unknown helper.
    fn unknown_helper(&mut self, path: &ast::PathNode, call: &'a ast::CallNode) -> Result<Expr<T>> {
        if self.options.dialect.checks_calls() {
            return Err(self.no_helper(call));
        }
        Ok(Expr { kind: ExprKind::UnresolvedCall(Box::new(self.unknown(path, call)?)), span: call.span })
    }

    fn unknown(&mut self, path: &ast::PathNode, call: &'a ast::CallNode) -> Result<UnresolvedCall<T>> {
        Ok(UnresolvedCall {
            name: (*path.original).into(),
            value: self.path(path),
            call: self.registered_call(HELPER_MISSING, call)?,
            hook: self.asks_helper_missing(),
        })
    }

    /// Whether the caller registered `helperMissing`, which handlebars.js calls for a missing helper.
    fn asks_helper_missing(&self) -> bool {
        self.options.dialect.has_missing_hooks() && self.library.has_helper(HELPER_MISSING)
    }

    /// A call of a helper that the caller registered.
    fn registered_call(&mut self, name: &str, call: &'a ast::CallNode) -> Result<Call<T>> {
        Ok(Call {
            callee: Callee::Registered(T::new(name)),
            params: call.params().iter().map(|param| self.expr(param)).collect::<Result<_>>()?,
            hash: self.hash(call.hash())?,
        })
    }

    /// A call of a built-in helper. Checks its arguments.
    fn helper(&mut self, signature: &'static HelperSignature, call: &'a ast::CallNode) -> Result<Expr<T>> {
        let name = signature.name;
        let hint = || {
            Some(format!(
                "write `{}`; for a variable of this name, write `{{{{./{name}}}}}`",
                signature.usage
            ))
        };
        let given = call.params().len();
        if !signature.arity.contains(&given) {
            let (low, high) = (signature.arity.start(), signature.arity.end());
            let wanted = match high {
                1 => "one argument".to_owned(),
                2 if low == high => "two arguments".to_owned(),
                2 => "one or two arguments".to_owned(),
                _ => format!("{low} to {high} arguments"),
            };
            return self.invalid_call(call, format!("`{name}` takes {wanted}, found {given}"), hint());
        }
        let stray = call.hash().iter().find(|(key, _)| !signature.named.contains(&&**key));
        if let Some((stray, _)) = stray.filter(|_| self.options.dialect.checks_calls()) {
            return self.invalid_call(call, format!("`{name}` takes no argument named `{stray}`"), hint());
        }
        let params = call.params().iter().map(|param| self.expr(param)).collect::<Result<_>>()?;
        let hash = self.hash(call.hash())?;
        Ok(Expr {
            kind: ExprKind::Call(Box::new(Call { callee: Callee::Prompt(signature.helper), params, hash })),
            span: call.span,
        })
    }

    fn expr(&mut self, expr: &'a ast::ExprNode) -> Result<Expr<T>> {
        let kind = match &expr.kind {
            ExprNodeKind::Path(path) => self.path_kind(path),
            ExprNodeKind::Call(call) => return self.call(call, CallSite::Parentheses),
            ExprNodeKind::String(text) => ExprKind::Literal(Literal::Text(T::new(text))),
            ExprNodeKind::Number(text) => ExprKind::Literal(self.number(text, expr.span)?),
            ExprNodeKind::Bool(value) => ExprKind::Literal(Literal::Bool(*value)),
            ExprNodeKind::Null => ExprKind::Literal(Literal::Null),
            ExprNodeKind::Undefined => ExprKind::Undefined,
        };
        Ok(Expr { kind, span: expr.span })
    }

    /// A number literal. The `prompt` dialect keeps every digit of a whole number, as Python does.
    fn number(&self, text: &str, span: Span) -> Result<Literal<T>> {
        if self.options.dialect.is_javascript() || text.contains('.') {
            return Ok(double(text));
        }
        text.parse().map(Literal::Integer).map_err(|_| {
            Error::new(Kind::TemplateSyntax, "this number has more than 64 bits")
                .at(span.start)
                .with_hint("write it in quotes, as a text")
        })
    }

    /// The block parameter at the start of a path. In handlebars.js it may have an `@` before it.
    fn param(&self, path: &ast::PathNode) -> Option<PathRoot> {
        let first = path.parts.first()?;
        if path.depth > 0 || path.scoped || (path.data && !self.options.dialect.allows_data_names()) {
            return None;
        }
        self.params.find(first)
    }

    /// A path as an expression.
    fn path_kind(&self, path: &ast::PathNode) -> ExprKind<T> {
        match self.rooted(path) {
            (PathRoot::Context(0), [name]) => ExprKind::Member(T::new(name)),
            _ => ExprKind::Path(self.path(path)),
        }
    }

    fn path(&self, path: &ast::PathNode) -> ValuePath<T> {
        let (root, parts) = self.rooted(path);
        ValuePath { root, parts: parts.iter().map(|part| T::new(part)).collect() }
    }

    /// Where a path begins, and its names from there.
    fn rooted<'p, 's>(&self, path: &'p ast::PathNode<'s>) -> (PathRoot, &'p [Cow<'s, str>]) {
        let parts = &*path.parts;
        if let Some(param) = self.param(path) {
            return (param, &parts[1..]);
        }
        if path.data {
            return match parts {
                [first, rest @ ..] if first == "root" && path.depth == 0 => (PathRoot::Top, rest),
                _ => (PathRoot::Data(path.depth()), parts),
            };
        }
        if self.options.dialect.has_empty_names() && parts.first().is_some_and(|name| name.is_empty()) {
            // In handlebars.js an empty name means the context itself, whatever follows.
            return (PathRoot::Context(path.depth()), &[]);
        }
        let recursive = self.options.compat && path.depth == 0 && !path.scoped && !parts.is_empty();
        let root = if recursive { PathRoot::Recursive } else { PathRoot::Context(path.depth()) };
        (root, parts)
    }

    fn no_helper(&self, call: &ast::CallNode) -> Error {
        let name = call.callee.name();
        let mut known = self.library.helpers();
        known.extend(BLOCKS.into_iter().chain([FENCE]).chain(helpers::names()).map(ToOwned::to_owned));
        let message = format!("there is no helper `{name}`");
        let error = Error::new(Kind::TemplateSyntax, message)
            .at(call.span.start)
            .with_context("code", "unknown-helper");
        if let Some(hint) = hints::for_call(&name).or_else(|| hints::for_name(&name)) {
            return error.with_hint(hint);
        }
        let is_colon =
            |param: &ast::ExprNode| param.as_path().is_some_and(|path| path.original.starts_with(':'));
        if name.ends_with(':') || call.params().first().is_some_and(is_colon) {
            return error.with_hint(hints::BRACES);
        }
        if call.params().first().is_some_and(|param| param.span.start == call.callee.span.end) {
            return error.with_hint(format!(
                "for the variable, write `{{{{{name}}}}}`; for a member of it, write its name after one dot"
            ));
        }
        let near = nearest(&name, known.iter().map(String::as_str));
        if let ([word], true) = (call.params(), call.hash().is_empty())
            && let Some(word) = word.as_path().as_deref().and_then(ast::PathNode::simple_name)
        {
            let joined = format!("the name of a variable has no spaces, as in `{{{{{name}_{word}}}}}`");
            return error.with_hint(match near {
                Some(near) => format!("did you mean `{near}`? If not, {joined}"),
                None => format!("{joined}; the available helpers are {}", known.join(", ")),
            });
        }
        match near {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint(format!("the available helpers are {}", known.join(", "))),
        }
    }
}

/// How to call the built-in helper or block of this name, for the hint of an error.
pub(super) fn usage_of_builtin(name: &str) -> Option<String> {
    if BLOCKS.contains(&name) || name == FENCE {
        return Some(format!("to open the block `{name}`, write `{{{{#{name} …}}}}`"));
    }
    helpers::find(name).map(|found| format!("to call the helper `{name}`, write `{}`", found.usage))
}

/// Whether a call has no arguments.
fn is_plain(call: &ast::CallNode) -> bool {
    call.params().is_empty() && call.hash().is_empty()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "only exact whole numbers become integers"
)]
fn double<T>(text: &str) -> Literal<T> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() <= EXACT => Literal::Integer(value as i64),
        Ok(value) => Literal::Float(value),
        Err(_) => Literal::Null,
    }
}
