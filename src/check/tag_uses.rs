//! Reads how a template uses the variables of its prompt, tag by tag.
//!
//! [`crate::template::References`] tells which variables a prompt reads. Rules about types and fences also need to know
//! what a tag does with each. A use is left out where it is not certain which variable a name means: in the block of a
//! helper or a partial, in an inline partial, and in a loop unless the path leads out of it.

use std::borrow::Cow;

use crate::template::ast::{
    BlockNode, CallNode, ExprNode, ExprNodeKind, PartialNode, PathNode, Program, Statement,
};

/// What a tag does with a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum UseKind<'t> {
    /// Prints it: `{{x}}`.
    Printed,
    /// Loops over it: `{{#each x}}`.
    Iterated(&'t BlockNode<'t>),
    /// Makes it the context of a block: `{{#with x}}`, `{{#x}}`.
    Entered,
    /// Tests it: `{{#if x}}`.
    Tested,
    /// Passes it to a partial.
    Passed,
    /// Gives it to a helper, as the argument at this position.
    Argument { call: &'t CallNode<'t>, at: usize },
    /// Gives it to a helper by name.
    NamedArgument,
}

/// One use of a variable.
#[derive(Debug)]
pub(super) struct TagUse<'t> {
    pub(super) name: &'t str,
    /// The members that are read from it: `["address", "city"]` in `{{user.address.city}}`.
    pub(super) members: Vec<&'t str>,
    /// The offset of the path in the source of the template.
    pub(super) offset: usize,
    pub(super) kind: UseKind<'t>,
    /// Whether it is in a block of `fence`.
    pub(super) is_fenced: bool,
}

/// What names are read from at a place in a template.
#[derive(Debug, Clone)]
enum NameScope<'t> {
    /// The variables of the prompt.
    Variables,
    /// The members of a variable.
    Members(&'t str, Vec<&'t str>),
    /// The members of the items of a loop, which are not known before a render.
    Items,
    /// It is not known before a render.
    Unknown,
}

/// A name in a block that replaces the context, which is therefore not read from the variables of the prompt.
#[derive(Debug)]
pub(super) struct InnerName<'t> {
    pub(super) name: &'t str,
    /// The offset of the path in the source of the template.
    pub(super) offset: usize,
    pub(super) kind: UseKind<'t>,
    /// How many contexts up the variables of the prompt are.
    pub(super) levels: usize,
}

/// Calls `each` with every use of a variable in a template. `is_helper` tells whether the caller registered a helper of
/// a name.
pub(super) fn each_use<'t>(
    program: &'t Program<'t>,
    is_helper: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(TagUse<'t>),
) {
    visit(program, is_helper, each);
}

/// The names in blocks that replace the context by the item of a loop or by the members of a value.
pub(super) fn inner_names<'t>(
    program: &'t Program<'t>,
    is_helper: &dyn Fn(&str) -> bool,
) -> Vec<InnerName<'t>> {
    visit(program, is_helper, &mut |_| {}).inner
}

/// The partials that a template includes, each with whether it certainly reads its names from the variables of the prompt.
pub(super) fn partial_scopes<'t>(
    program: &'t Program<'t>,
    is_helper: &dyn Fn(&str) -> bool,
) -> Vec<(Cow<'t, str>, bool)> {
    visit(program, is_helper, &mut |_| {}).includes
}

fn visit<'t, 'v>(
    program: &'t Program<'t>,
    is_helper: &'v dyn Fn(&str) -> bool,
    each: &'v mut dyn FnMut(TagUse<'t>),
) -> UseVisitor<'t, 'v> {
    let mut visitor = UseVisitor {
        is_helper,
        each,
        scopes: vec![NameScope::Variables],
        params: Vec::new(),
        fences: 0,
        includes: Vec::new(),
        inner: Vec::new(),
    };
    visitor.program(program);
    visitor
}

struct UseVisitor<'t, 'v> {
    is_helper: &'v dyn Fn(&str) -> bool,
    each: &'v mut dyn FnMut(TagUse<'t>),
    /// The scopes around the current place, innermost last.
    scopes: Vec<NameScope<'t>>,
    /// The block parameters around the current place.
    params: Vec<&'t str>,
    fences: usize,
    /// See [`partial_scopes`].
    includes: Vec<(Cow<'t, str>, bool)>,
    /// See [`inner_names`].
    inner: Vec<InnerName<'t>>,
}

impl<'t> UseVisitor<'t, '_> {
    fn program(&mut self, program: &'t Program<'t>) {
        for statement in &program.body {
            match statement {
                Statement::Content(_) | Statement::Comment(_) => {}
                Statement::Mustache(mustache) => self.call(&mustache.call, UseKind::Printed),
                Statement::Block(block) => self.block(block),
                Statement::Partial(partial) => self.partial(partial),
                Statement::PartialBlock(block) => {
                    self.partial(&block.partial);
                    self.within(NameScope::Unknown, &block.program);
                }
                Statement::Inline(inline) => self.within(NameScope::Unknown, &inline.program),
            }
        }
    }

    fn within(&mut self, scope: NameScope<'t>, program: &'t Program<'t>) {
        let outside = self.params.len();
        self.params.extend(program.block_params.iter().map(|name| &**name));
        self.scopes.push(scope);
        self.program(program);
        self.scopes.pop();
        self.params.truncate(outside);
    }

    fn block(&mut self, block: &'t BlockNode<'t>) {
        let callee = match &block.call.callee.kind {
            ExprNodeKind::Path(path) => path.simple_name(),
            _ => None,
        };
        if block.raw {
            return;
        }
        let argument = block.call.params().first();
        match (callee, argument) {
            (Some(name), _) if (self.is_helper)(name) => {
                self.arguments(&block.call);
                self.branches(block, NameScope::Unknown);
            }
            (Some("if" | "unless"), Some(condition)) => {
                self.expression(condition, UseKind::Tested);
                for program in [&block.program, &block.inverse].into_iter().flatten() {
                    self.program(program);
                }
            }
            (Some("each"), Some(list)) => {
                self.expression(list, UseKind::Iterated(block));
                self.branches(block, NameScope::Items);
            }
            (Some("with"), Some(value)) => {
                self.expression(value, UseKind::Entered);
                let scope = self.members_of(value);
                self.branches(block, scope);
            }
            (Some("fence"), Some(_)) => {
                self.fences += 1;
                self.program_of(block);
                self.fences -= 1;
            }
            _ if block.call.params().is_empty() => {
                self.call(&block.call, UseKind::Entered);
                // `true` keeps the scope around it, a list has items, and an object has members.
                self.branches(block, NameScope::Unknown);
            }
            _ => {
                self.arguments(&block.call);
                self.branches(block, NameScope::Unknown);
            }
        }
    }

    fn program_of(&mut self, block: &'t BlockNode<'t>) {
        if let Some(program) = &block.program {
            self.program(program);
        }
    }

    /// The first branch in this scope, and the one after `{{else}}` in the scope around the block.
    fn branches(&mut self, block: &'t BlockNode<'t>, scope: NameScope<'t>) {
        if let Some(program) = &block.program {
            self.within(scope, program);
        }
        if let Some(program) = &block.inverse {
            self.program(program);
        }
    }

    fn partial(&mut self, partial: &'t PartialNode<'t>) {
        let has_variables = partial.context.is_none()
            && partial.hash.is_empty()
            && matches!(self.scopes.last(), Some(NameScope::Variables))
            && self.params.is_empty();
        if let Some(path) = partial.name.as_path() {
            self.includes.push((path.original.clone(), has_variables));
        }
        let named = partial.hash.iter().map(|(_, value)| value);
        for value in partial.context.iter().chain(named) {
            self.expression(value, UseKind::Passed);
        }
    }

    fn call(&mut self, call: &'t CallNode<'t>, kind: UseKind<'t>) {
        if !call.params().is_empty() || !call.hash().is_empty() {
            return self.arguments(call);
        }
        if let ExprNodeKind::Path(path) = &call.callee.kind
            && !path.simple_name().is_some_and(|name| (self.is_helper)(name))
        {
            self.path(path, call.callee.span.start, kind);
        }
    }

    fn arguments(&mut self, call: &'t CallNode<'t>) {
        for (at, value) in call.params().iter().enumerate() {
            self.expression(value, UseKind::Argument { call, at });
        }
        for (_, value) in call.hash() {
            self.expression(value, UseKind::NamedArgument);
        }
    }

    fn expression(&mut self, expression: &'t ExprNode<'t>, kind: UseKind<'t>) {
        match &expression.kind {
            ExprNodeKind::Path(path) => self.path(path, expression.span.start, kind),
            ExprNodeKind::Call(call) => self.call(call, kind),
            _ => {}
        }
    }

    fn path(&mut self, path: &'t PathNode<'t>, offset: usize, kind: UseKind<'t>) {
        let is_inner = matches!(self.scopes.last(), Some(NameScope::Items | NameScope::Members(..)))
            && !self.scopes.iter().any(|scope| matches!(scope, NameScope::Unknown));
        if is_inner
            && !path.data
            && !path.scoped
            && let Some(name) = path.parts.first().filter(|name| !self.params.contains(&&***name))
        {
            self.inner.push(InnerName { name, offset, kind, levels: self.scopes.len() - 1 });
        }
        if let NameScope::Members(name, members) = self.resolve(path) {
            (self.each)(TagUse { name, members, offset, kind, is_fenced: self.fences > 0 });
        }
    }

    /// What a path leads to: the members of a variable, if that is certain.
    fn resolve(&self, path: &'t PathNode<'t>) -> NameScope<'t> {
        let mut names = path.parts.iter().map(|name| &**name);
        let scope = if path.data {
            let is_root = names.next() == Some("root");
            self.scopes.first().filter(|_| is_root)
        } else {
            let is_param = path.depth == 0
                && !path.scoped
                && path.parts.first().is_some_and(|name| self.params.contains(&&**name));
            let at = self.scopes.len().checked_sub(path.depth() + 1).filter(|_| !is_param);
            at.and_then(|at| self.scopes.get(at))
        };
        match scope {
            Some(NameScope::Variables) => match names.next() {
                Some(name) => NameScope::Members(name, names.collect()),
                None => NameScope::Variables,
            },
            Some(NameScope::Members(name, members)) => {
                NameScope::Members(name, members.iter().copied().chain(names).collect())
            }
            Some(NameScope::Items | NameScope::Unknown) | None => NameScope::Unknown,
        }
    }

    fn members_of(&self, value: &'t ExprNode<'t>) -> NameScope<'t> {
        match &value.kind {
            ExprNodeKind::Path(path) => self.resolve(path),
            _ => NameScope::Unknown,
        }
    }
}

/// The partials that a program includes.
#[derive(Debug, Default)]
pub(super) struct IncludedPartials<'t> {
    /// Their names, each with the offset of the tag.
    pub(super) names: Vec<(Cow<'t, str>, usize)>,
    /// Those among them that every render includes, because no block is around their tags.
    pub(super) always: Vec<(Cow<'t, str>, usize)>,
    /// Whether the name of a partial is computed.
    pub(super) is_computed: bool,
    /// The inline partials that the program defines.
    pub(super) inlines: Vec<Cow<'t, str>>,
}

impl<'t> IncludedPartials<'t> {
    /// Reads them from a program.
    pub(super) fn of(program: &'t Program<'t>) -> Self {
        let mut included = Self::default();
        included.read(program, true);
        included
    }

    fn read(&mut self, program: &'t Program<'t>, is_always: bool) {
        for statement in &program.body {
            match statement {
                Statement::Content(_) | Statement::Comment(_) | Statement::Mustache(_) => {}
                Statement::Partial(partial) => self.include(partial, is_always),
                Statement::PartialBlock(block) => {
                    self.include(&block.partial, is_always);
                    self.read(&block.program, false);
                }
                Statement::Inline(inline) => {
                    self.inlines.extend(inline.name.as_path().map(|path| path.original.clone()));
                    self.read(&inline.program, false);
                }
                Statement::Block(block) => {
                    for branch in [&block.program, &block.inverse].into_iter().flatten() {
                        self.read(branch, false);
                    }
                }
            }
        }
    }

    fn include(&mut self, partial: &'t PartialNode<'t>, is_always: bool) {
        let Some(path) = partial.name.as_path() else {
            self.is_computed = true;
            return;
        };
        if path.original == "@partial-block" {
            return;
        }
        let place = (path.original.clone(), partial.span.start);
        if is_always {
            self.always.push(place.clone());
        }
        self.names.push(place);
    }
}
