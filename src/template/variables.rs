//! Finds the variables that a template reads, and how it uses them, from the syntax tree and without rendering.
//!
//! The reader knows the current context everywhere (`docs[]` within `{{#each docs}}`), so each use becomes a path that
//! starts at a variable. A use is guarded if it is inside a test of the same variable. The caller may leave out a
//! variable if every use of it is guarded or is itself only a test.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{
    BlockNode, CallNode, ExprNode, ExprNodeKind, PARTIAL_BLOCK, PartialNode, PathNode, Program, Statement,
};
use crate::error::{Error, Kind, Result};
use crate::hash::{HashMap, HashSet};
use crate::limits::{VARIABLE_BYTES, VARIABLE_USES};

/// How a template uses one variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableUsage {
    /// Whether a render needs the variable: at least one use is neither guarded by a test of it nor only a test. A
    /// variable that is not required is optional.
    pub required: bool,
    /// Whether the template only tests it, as `{{#if flag}}` tests `flag`, and never prints it, loops over it or passes
    /// it on.
    pub tested: bool,
    /// Whether a loop iterates over it.
    pub iterated: bool,
    /// Every path that the template reads from it, such as `user.name` or `docs[].title`, sorted.
    pub paths: BTreeSet<String>,
}

impl VariableUsage {
    /// Adds the uses of the same variable by another template.
    pub fn join(&mut self, other: Self) {
        self.required |= other.required;
        self.tested &= other.tested;
        self.iterated |= other.iterated;
        self.paths.extend(other.paths);
    }
}

/// How a template uses its variables, by name.
pub type VariableUsages = BTreeMap<String, VariableUsage>;

/// The uses of variables in one template's source, without those of its partials.
#[derive(Debug, Default)]
pub(super) struct TemplateUsage {
    segments: Box<[PathSegment]>,
    /// The uses, without duplicates.
    uses: Box<[PathUse]>,
    includes: Box<[Include]>,
    /// Names that may be variables of the context, depending on what a block is rendered with: the first names of paths
    /// in the block of a value, of a helper, of a partial or in an inline partial, and those below `@root`.
    mentions: BTreeSet<Box<str>>,
    /// The inline partials that it defines.
    inlines: BTreeSet<Box<str>>,
    /// Whether it reads its context as a whole, as `{{json this}}` does, or includes a partial whose name is computed.
    reads_all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PathUse {
    path_id: PathId,
    purpose: Purpose,
    needed: bool,
    /// Whether the context of the path is certain. It is not where a block or an inline partial is rendered by others.
    certain: bool,
    /// The offset of the first such use in the source.
    offset: u32,
}

/// A partial that the template includes.
#[derive(Debug)]
pub(super) struct Include {
    name: Box<str>,
    /// The path of its context. `None` if the path is not known before rendering.
    context: Option<PathId>,
    /// The names of the values that the tag passes to it, as in `{{> partial name=value}}`.
    given: HashSet<String>,
    guards: Guards,
    /// Whether it has a block, which is rendered if the partial does not exist.
    has_block: bool,
    certain: bool,
    /// The offset of the tag in the source.
    offset: usize,
}

impl Include {
    pub(super) fn context_path(&self) -> ContextPath {
        match self.context {
            None => ContextPath::Unknown,
            Some(path) if path.is_empty() => ContextPath::Whole,
            Some(_) => ContextPath::Below,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn given(&self) -> impl Iterator<Item = &str> {
        self.given.iter().map(String::as_str)
    }

    pub(super) fn has_block(&self) -> bool {
        self.has_block
    }

    pub(super) fn is_certain(&self) -> bool {
        self.certain
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }
}

/// A path from the template's context: 0 is the context itself, any other number is the position of its last segment in
/// `segments`, plus one.
///
/// Paths inside a block share the block's path, so a template with many names under a long path takes no more memory
/// than its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct PathId(usize);

#[derive(Debug)]
struct PathSegment {
    before: PathId,
    /// At least one name.
    names: Box<[Box<str>]>,
}

/// What the path of a context is, as far as it is known before a render.
pub(super) enum ContextPath {
    /// The context of the template itself.
    Whole,
    /// A value in that context.
    Below,
    Unknown,
}

impl TemplateUsage {
    /// The variables that it reads, each with the offset of a use and with whether it certainly is a variable of the
    /// template's context.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, usize, bool)> {
        self.uses.iter().filter_map(|one| {
            let first = self.backwards(one.path_id).last()?.first()?;
            (**first != *ITEMS).then_some((&**first, one.offset as usize, one.certain))
        })
    }

    pub(super) fn includes(&self) -> &[Include] {
        &self.includes
    }

    pub(super) fn mentions(&self) -> impl Iterator<Item = &str> {
        self.mentions.iter().map(|name| &**name)
    }

    pub(super) fn inlines(&self) -> impl Iterator<Item = &str> {
        self.inlines.iter().map(|name| &**name)
    }

    pub(super) fn reads_all(&self) -> bool {
        self.reads_all
    }

    /// The names of a path, segment by segment, the last segment first.
    fn backwards(&self, path_id: PathId) -> impl Iterator<Item = &[Box<str>]> {
        let mut at = path_id;
        std::iter::from_fn(move || {
            let segment = self.segments.get(at.0.checked_sub(1)?)?;
            at = segment.before;
            Some(&*segment.names)
        })
    }
}

impl PathId {
    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The tests around a place in the template, innermost first.
#[derive(Debug, Clone, Default)]
struct Guards(Option<Arc<Test>>);

#[derive(Debug)]
struct Test {
    /// The tested variables, sorted.
    names: Box<[Box<str>]>,
    around: Guards,
}

impl Guards {
    fn contain(&self, name: &str) -> bool {
        let mut at = self;
        while let Some(test) = &at.0 {
            if test.names.binary_search_by(|known| (**known).cmp(name)).is_ok() {
                return true;
            }
            at = &test.around;
        }
        false
    }
}

/// The name in a path that means the items of a list.
const ITEMS: &str = "[]";

/// The path segment to the items of a list.
static ITEM_SEGMENT: [Cow<'static, str>; 1] = [Cow::Borrowed(ITEMS)];

/// The maximum depth to which partials are followed.
const DEPTH: usize = 50;

/// The names that templates do not look up in their context, and how the others are looked up.
pub(super) trait HelperNames {
    /// Whether the caller registered a helper of this name. Without arguments it is no variable then, but a call.
    fn is_helper(&self, name: &str) -> bool;
    /// Whether this helper can read the whole context.
    fn sees_context(&self, name: &str) -> bool;
    /// Whether a raw block is the text between its tags, because no helper has its name.
    fn is_text(&self, block: &BlockNode<'_>) -> bool;
    /// Whether a name that the current context lacks is looked up in the contexts around it.
    fn is_recursive(&self) -> bool;
    /// Whether the template is in the `handlebars` dialect, in which a block on a missing value is no error.
    fn is_javascript(&self) -> bool;
}

/// Reads the uses in a template's own source.
pub(super) fn usage(program: &Program, names: &dyn HelperNames) -> TemplateUsage {
    let mut reader = UsageReader {
        names,
        segments: Vec::new(),
        known: HashMap::default(),
        uses: Vec::new(),
        includes: Vec::new(),
        contexts: vec![Some(PathId::default())],
        params: HashMap::default(),
        guards: Vec::new(),
        inlines: HashMap::default(),
        uncertain: 0,
        mentions: BTreeSet::new(),
        defined: BTreeSet::new(),
        reads_all: false,
    };
    reader.program(program);
    let owned = |names: &[Cow<'_, str>]| names.iter().map(|name| (**name).into()).collect();
    let segments =
        reader.segments.iter().map(|(before, names)| PathSegment { before: *before, names: owned(names) });
    // The same use is recorded once, however often the template repeats it.
    reader.uses.sort_unstable();
    reader.uses.dedup_by_key(|one| PathUse { offset: 0, ..*one });
    TemplateUsage {
        segments: segments.collect(),
        uses: reader.uses.into(),
        includes: reader.includes.into(),
        mentions: reader.mentions.into_iter().map(Into::into).collect(),
        inlines: reader.defined.into_iter().map(Into::into).collect(),
        reads_all: reader.reads_all,
    }
}

/// Whether a template or a partial that it includes uses a whole context as a value.
pub(super) fn prints_context(
    usage: &TemplateUsage,
    partial: &dyn Fn(&str) -> Option<Arc<TemplateUsage>>,
) -> bool {
    let mut seen: HashSet<Box<str>> = HashSet::default();
    let mut waiting: Vec<Box<str>> = usage.includes.iter().map(|include| include.name.clone()).collect();
    let mut prints = usage.reads_all;
    while let (false, Some(name)) = (prints, waiting.pop()) {
        if let Some(inner) = partial(&name) {
            prints = inner.reads_all;
            waiting.extend(
                inner.includes.iter().map(|include| include.name.clone()).filter(|name| !seen.contains(name)),
            );
        }
        seen.insert(name);
    }
    prints
}

/// Joins a template's uses with those of the partials that it includes.
///
/// # Errors
/// [`Kind::TemplateSyntax`] if the partials include each other so often, or the paths are so long, that a limit is
/// reached.
pub(super) fn join(
    usage: &TemplateUsage,
    partial: &dyn Fn(&str) -> Option<Arc<TemplateUsage>>,
) -> Result<VariableUsages> {
    let mut collector =
        UsageCollector { partial, uses: 0, bytes: 0, open: Vec::new(), variables: VariableUsages::new() };
    collector
        .collect(usage, &Inclusion { context: Some(ResolvedPath::default()), given: None, guards: None })?;
    Ok(collector.variables)
}

struct UsageCollector<'a> {
    partial: &'a dyn Fn(&str) -> Option<Arc<TemplateUsage>>,
    uses: u64,
    /// The length of all paths that were written out, in bytes.
    bytes: usize,
    /// The partials that are being followed, outermost first.
    open: Vec<Box<str>>,
    variables: VariableUsages,
}

/// What a template gets from the tag that includes it.
struct Inclusion<'a> {
    /// `None` if it is not known before rendering.
    context: Option<ResolvedPath>,
    given: Option<&'a GivenNames<'a>>,
    guards: Option<&'a GuardChain<'a>>,
}

/// Names that a tag passed to a partial. They also hold in the partials to which this one passes its whole context.
struct GivenNames<'a> {
    names: &'a HashSet<String>,
    outer: Option<&'a GivenNames<'a>>,
}

/// The tests around a partial, and those around the template that includes it.
struct GuardChain<'a> {
    guards: &'a Guards,
    outer: Option<&'a GuardChain<'a>>,
}

/// A path from the context of the outermost template.
#[derive(Default)]
struct ResolvedPath {
    names: usize,
    first: String,
    text: String,
}

impl UsageCollector<'_> {
    fn collect(&mut self, usage: &TemplateUsage, inclusion: &Inclusion<'_>) -> Result<()> {
        for one in &usage.uses {
            self.count()?;
            let Some(path) = self.root_path(usage, one.path_id, inclusion)? else { continue };
            if path.names == 0 || path.first == ITEMS {
                continue;
            }
            let guarded = std::iter::successors(inclusion.guards, |guarded| guarded.outer)
                .any(|guarded| guarded.guards.contain(&path.first));
            let unseen = VariableUsage { tested: true, ..VariableUsage::default() };
            let variable = self.variables.entry(path.first).or_insert(unseen);
            variable.required |= one.needed && !guarded;
            variable.tested &= matches!(one.purpose, Purpose::Tested | Purpose::Entered);
            variable.iterated |= one.purpose == Purpose::Iterated && path.names == 1;
            variable.paths.insert(path.text);
        }
        usage.includes.iter().try_for_each(|include| self.include(usage, include, inclusion))
    }

    fn include(&mut self, usage: &TemplateUsage, include: &Include, inclusion: &Inclusion<'_>) -> Result<()> {
        self.count()?;
        if self.open.len() >= DEPTH || self.open.contains(&include.name) {
            return Ok(());
        }
        let Some(inner) = (self.partial)(&include.name) else { return Ok(()) };
        let context = match include.context {
            Some(context) => self.root_path(usage, context, inclusion)?,
            None => None,
        };
        let passed_on = include.context.is_some_and(PathId::is_empty);
        let given = GivenNames { names: &include.given, outer: inclusion.given.filter(|_| passed_on) };
        let guarded = GuardChain { guards: &include.guards, outer: inclusion.guards };
        self.open.push(include.name.clone());
        self.collect(&inner, &Inclusion { context, given: Some(&given), guards: Some(&guarded) })?;
        self.open.pop();
        Ok(())
    }

    /// The path from the outermost template's context. `None` if it is not known before rendering, or if its value was
    /// passed to a partial by name.
    fn root_path(
        &mut self,
        usage: &TemplateUsage,
        path_id: PathId,
        inclusion: &Inclusion<'_>,
    ) -> Result<Option<ResolvedPath>> {
        let Some(context) = &inclusion.context else { return Ok(None) };
        let pieces: Vec<&[Box<str>]> = usage.backwards(path_id).collect();
        let names = || pieces.iter().rev().flat_map(|piece| piece.iter());
        let first = names().next().map(|name| &**name);
        let is_given = |name: &str| {
            std::iter::successors(inclusion.given, |given| given.outer)
                .any(|given| given.names.contains(name))
        };
        if first.is_some_and(is_given) {
            return Ok(None);
        }
        let bytes = context.text.len() + names().map(|name| name.len() + 1).sum::<usize>();
        self.bytes += bytes;
        if self.bytes > VARIABLE_BYTES {
            return Err(too_much(&format!("their paths have more than {VARIABLE_BYTES} bytes together")));
        }
        let mut text = String::with_capacity(bytes);
        text.push_str(&context.text);
        for name in names() {
            if **name != *ITEMS && !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
        let first = match first {
            Some(first) if context.names == 0 => first.to_owned(),
            _ => context.first.clone(),
        };
        Ok(Some(ResolvedPath { names: context.names + names().count(), first, text }))
    }

    fn count(&mut self) -> Result<()> {
        self.uses += 1;
        if self.uses > VARIABLE_USES {
            return Err(too_much(&format!("they are used more than {VARIABLE_USES} times")));
        }
        Ok(())
    }
}

fn too_much(why: &str) -> Error {
    let message =
        format!("the variables of this template and its partials are too many to account for: {why}");
    Error::new(Kind::TemplateSyntax, message)
        .with_hint("check whether its partials include each other in a cycle")
}

struct UsageReader<'a> {
    names: &'a dyn HelperNames,
    segments: Vec<(PathId, SegmentNames<'a>)>,
    /// The position of each segment in `segments`.
    known: HashMap<(PathId, SegmentNames<'a>), PathId>,
    uses: Vec<PathUse>,
    includes: Vec<Include>,
    /// The paths of the contexts that `../` can reach, innermost last. `None` if a path is not known before rendering.
    contexts: Vec<Option<PathId>>,
    /// The block parameters in scope and the paths of their values, innermost last.
    params: HashMap<&'a str, Vec<Option<PathId>>>,
    /// The tests around the current place, innermost last.
    guards: Vec<Guard<'a>>,
    /// How many inline partials of each name are in scope.
    inlines: HashMap<&'a str, usize>,
    /// How many blocks around the current place may be rendered with another context than the one assumed here.
    uncertain: usize,
    mentions: BTreeSet<String>,
    /// The names of all inline partials.
    defined: BTreeSet<&'a str>,
    reads_all: bool,
}

/// One or more consecutive names of a path.
type SegmentNames<'a> = Cow<'a, [Cow<'a, str>]>;

/// A test around the current place.
struct Guard<'a> {
    /// The variables that it tests, sorted.
    names: Vec<Cow<'a, str>>,
    /// This test and those around it, for partials that are included here. Built when the first one is.
    kept: Option<Guards>,
}

/// What a template does with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    /// Prints it, or needs it in another way.
    Needed,
    /// Tests whether it is given or true.
    Tested,
    /// Tests whether it is true in a block without `{{else}}`, for which it must be given.
    Entered,
    /// Passes it to something that accepts a missing value: a partial, or a helper such as `default`.
    Passed,
    Iterated,
}

impl<'a> UsageReader<'a> {
    fn program(&mut self, program: &'a Program<'a>) {
        let defined = || {
            program.body.iter().filter_map(|statement| match statement {
                Statement::Inline(inline) => match &inline.name.kind {
                    ExprNodeKind::String(name) => Some(&**name),
                    _ => None,
                },
                _ => None,
            })
        };
        for name in defined() {
            *self.inlines.entry(name).or_default() += 1;
            self.defined.insert(name);
        }
        for statement in &program.body {
            self.statement(statement);
        }
        for name in defined() {
            self.inlines.entry(name).and_modify(|count| *count -= 1);
        }
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::Content(_) | Statement::Comment(_) => {}
            Statement::Mustache(mustache) => self.call(&mustache.call, Purpose::Needed),
            Statement::Block(block) => self.block(block),
            Statement::Partial(partial) => self.partial(partial, false),
            Statement::PartialBlock(block) => {
                self.partial(&block.partial, true);
                self.uncertainly(|reader| reader.program(&block.program));
            }
            Statement::Inline(inline) => self.uncertainly(|reader| reader.program(&inline.program)),
        }
    }

    /// Reads a part of the template that may be rendered with another context than the one assumed here.
    fn uncertainly(&mut self, read: impl FnOnce(&mut Self)) {
        self.uncertain += 1;
        read(self);
        self.uncertain -= 1;
    }

    fn block(&mut self, block: &'a BlockNode<'a>) {
        let callee = block.call.callee.as_path();
        let name = callee.as_ref().and_then(|path| path.simple_name());
        let argument = block.call.params().first();
        if block.raw && self.names.is_text(block) {
            return;
        }
        let (program, inverse) = (block.program.as_ref(), block.inverse.as_ref());
        match (name, argument) {
            (Some(test @ ("if" | "unless")), Some(argument)) => {
                self.argument(argument, Purpose::Tested);
                let mut tested = Vec::new();
                self.tested(argument, &mut tested);
                let (guarded, other) = if test == "if" { (program, inverse) } else { (inverse, program) };
                self.guarded(tested, |reader| reader.branch(guarded));
                self.branch(other);
            }
            (Some("each"), Some(list)) => {
                let tested = self.tested_with_else(list, inverse);
                self.guarded(tested, |reader| {
                    reader.argument(list, Purpose::Iterated);
                    let list = reader.resolve(list);
                    let item = list.map(|list| reader.extend(list, Cow::Borrowed(&ITEM_SEGMENT)));
                    reader.scoped(program, item);
                });
                self.branch(inverse);
            }
            (Some("with"), Some(value)) => {
                let tested = self.tested_with_else(value, inverse);
                self.guarded(tested, |reader| {
                    reader.argument(value, Purpose::Needed);
                    let context = reader.resolve(value);
                    reader.scoped(program, context);
                });
                self.branch(inverse);
            }
            (Some("fence"), Some(name)) if !self.names.is_javascript() && !self.names.is_helper("fence") => {
                self.argument(name, Purpose::Needed);
                self.branch(program);
            }
            _ => self.value_block(block),
        }
    }

    /// A block on a value. Whether the value is a list, an object or a flag is not known here; its members are read as
    /// those of an object.
    fn value_block(&mut self, block: &'a BlockNode<'a>) {
        let path = block.call.params().is_empty().then(|| block.call.callee.as_path()).flatten();
        let path = path.filter(|path| !self.is_call(path));
        let may_be_missing = self.names.is_javascript() || block.inverse.is_some();
        self.call(&block.call, if may_be_missing { Purpose::Tested } else { Purpose::Entered });
        let context = path.and_then(|path| self.resolve_path(path));
        let guard = context.and_then(|context| self.first(context));
        self.guarded(guard.into_iter().collect(), |reader| {
            // The context of a helper's block is the helper's to choose, and a value that is `true` keeps the outer one.
            reader.uncertainly(|reader| reader.scoped(block.program.as_ref(), context));
        });
        self.branch(block.inverse.as_ref());
    }

    /// The variables that a block tests, because its `{{else}}` is rendered if the value is missing.
    fn tested_with_else(&mut self, value: &'a ExprNode<'a>, inverse: Option<&Program>) -> Vec<Cow<'a, str>> {
        let mut tested = Vec::new();
        if inverse.is_some() {
            self.tested(value, &mut tested);
        }
        tested
    }

    /// Reads a part of the template that is inside a test of these variables.
    fn guarded(&mut self, mut tested: Vec<Cow<'a, str>>, read: impl FnOnce(&mut Self)) {
        tested.sort_unstable();
        self.guards.push(Guard { names: tested, kept: None });
        read(self);
        self.guards.pop();
    }

    fn is_guarded(&self, name: &str) -> bool {
        let tests = |guard: &Guard<'_>| guard.names.binary_search_by(|known| (**known).cmp(name)).is_ok();
        self.guards.iter().any(tests)
    }

    /// The tests around the current place, in a shared form that outlives the reader.
    fn kept_guards(&mut self) -> Guards {
        let mut around = Guards::default();
        for guard in &mut self.guards {
            let Guard { names, kept } = guard;
            let kept = kept.get_or_insert_with(|| {
                let names = names.iter().map(|name| (**name).into()).collect();
                Guards(Some(Arc::new(Test { names, around })))
            });
            around = kept.clone();
        }
        around
    }

    fn branch(&mut self, program: Option<&'a Program<'a>>) {
        if let Some(program) = program {
            self.program(program);
        }
    }

    /// Reads a branch that has another context.
    fn scoped(&mut self, program: Option<&'a Program<'a>>, context: Option<PathId>) {
        let Some(program) = program else { return };
        for (at, name) in program.block_params.iter().enumerate().rev() {
            let value_path = context.filter(|_| at == 0);
            self.params.entry(name).or_default().push(value_path);
        }
        self.contexts.push(context);
        self.program(program);
        self.contexts.pop();
        for name in &program.block_params {
            self.params.get_mut(&**name).and_then(Vec::pop);
        }
    }

    fn partial(&mut self, partial: &'a PartialNode<'a>, has_block: bool) {
        if let Some(context) = &partial.context {
            self.argument(context, Purpose::Passed);
        }
        for (_, value) in &partial.hash {
            self.argument(value, Purpose::Passed);
        }
        let Some(path) = partial.name.as_path() else {
            self.reads_all = true;
            return self.argument(&partial.name, Purpose::Needed);
        };
        let name = &*path.original;
        if self.inlines.get(name).is_some_and(|count| *count > 0) || name == PARTIAL_BLOCK {
            return;
        }
        let context = match &partial.context {
            Some(context) => self.resolve(context),
            None => self.contexts.last().copied().flatten(),
        };
        let given = partial.hash.iter().map(|(name, _)| name.to_string()).collect();
        let guards = self.kept_guards();
        self.includes.push(Include {
            name: name.into(),
            context,
            given,
            guards,
            has_block,
            certain: self.uncertain == 0,
            offset: partial.span.start,
        });
    }

    fn call(&mut self, call: &'a CallNode<'a>, purpose: Purpose) {
        if call.params().is_empty() && call.hash().is_empty() {
            match call.callee.as_path().filter(|path| !self.is_call(path)) {
                Some(path) => self.read(path, purpose, call.callee.span.start),
                None => self.reads_all |= self.names.sees_context(&call.callee.name()),
            }
            return;
        }
        let name = call.callee.name();
        self.reads_all |= self.names.sees_context(&name);
        for (at, value) in call.params().iter().enumerate() {
            let may_be_missing = accepts_missing(&name, at);
            self.argument(
                value,
                if may_be_missing && purpose != Purpose::Tested { Purpose::Passed } else { purpose },
            );
        }
        for (_, value) in call.hash() {
            self.argument(value, purpose);
        }
    }

    /// Whether a name without arguments calls a helper that the caller registered.
    fn is_call(&self, path: &PathNode) -> bool {
        let is_param = |name: &str| self.params.get(name).is_some_and(|places| !places.is_empty());
        path.simple_name().is_some_and(|name| !is_param(name) && self.names.is_helper(name))
    }

    fn argument(&mut self, expr: &'a ExprNode<'a>, purpose: Purpose) {
        match &expr.kind {
            ExprNodeKind::Path(path) => self.read(Cow::Borrowed(path), purpose, expr.span.start),
            ExprNodeKind::Call(call) => self.call(call, purpose),
            _ => {}
        }
    }

    /// Adds the variables that a condition tests to `into`.
    fn tested(&mut self, expr: &'a ExprNode<'a>, into: &mut Vec<Cow<'a, str>>) {
        match &expr.kind {
            ExprNodeKind::Path(path) => {
                let path_id = self.resolve_path(Cow::Borrowed(path));
                into.extend(path_id.and_then(|path_id| self.first(path_id)));
            }
            ExprNodeKind::Call(call) => {
                for value in call.params() {
                    self.tested(value, into);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, path: Cow<'a, PathNode<'a>>, purpose: Purpose, offset: usize) {
        self.mention(&path);
        let Some(path_id) = self.resolve_path(path) else { return };
        let Some(name) = self.first(path_id) else {
            self.reads_all = true;
            return;
        };
        let needs_value = matches!(purpose, Purpose::Needed | Purpose::Iterated | Purpose::Entered);
        let needed = needs_value && !self.is_guarded(&name);
        // An offset beyond 4 GiB counts as 4 GiB; templates are far smaller.
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.uses.push(PathUse { path_id, purpose, needed, certain: self.uncertain == 0, offset });
    }

    /// Notes the name at the start of a path where the path does not tell which variable it is.
    fn mention(&mut self, path: &PathNode<'a>) {
        let is_root = path.data && path.parts.first().is_some_and(|name| name == "root");
        let is_nested = self.uncertain > 0 || (self.names.is_recursive() && self.contexts.len() > 1);
        let name = if is_root { path.parts.get(1) } else { path.parts.first().filter(|_| !path.data) };
        match name {
            Some(name) if is_root || is_nested => drop(self.mentions.insert(name.to_string())),
            // Which value the path means is not certain, so it may be the context.
            None if is_root || (is_nested && !path.data) => self.reads_all = true,
            _ => {}
        }
    }

    fn resolve(&mut self, expr: &'a ExprNode<'a>) -> Option<PathId> {
        match &expr.kind {
            ExprNodeKind::Path(path) => self.resolve_path(Cow::Borrowed(path)),
            _ => None,
        }
    }

    /// The path from the template's context. `None` for loop data, for literals, and for a path that is not known
    /// before rendering.
    fn resolve_path(&mut self, path: Cow<'a, PathNode<'a>>) -> Option<PathId> {
        let first = path.parts.first();
        if path.data {
            first.filter(|name| **name == "root")?;
            let root = (*self.contexts.first()?)?;
            return Some(self.extend(root, names(path, 1)));
        }
        if path.depth == 0
            && !path.scoped
            && let Some(value_path) =
                first.and_then(|first| self.params.get(&**first)).and_then(|places| places.last())
        {
            let value_path = (*value_path)?;
            return Some(self.extend(value_path, names(path, 1)));
        }
        let at = self.contexts.len().checked_sub(path.depth() + 1)?;
        let context = self.contexts[at]?;
        Some(self.extend(context, names(path, 0)))
    }

    /// The path `before`, extended by these names.
    fn extend(&mut self, before: PathId, names: SegmentNames<'a>) -> PathId {
        if names.is_empty() {
            return before;
        }
        let next = PathId(self.segments.len() + 1);
        let segments = &mut self.segments;
        *self.known.entry((before, names)).or_insert_with_key(|segment| {
            segments.push(segment.clone());
            next
        })
    }

    /// The variable at the start of a path.
    fn first(&self, mut path_id: PathId) -> Option<Cow<'a, str>> {
        let mut first = None;
        while let Some((before, names)) = path_id.0.checked_sub(1).and_then(|at| self.segments.get(at)) {
            first = names.first();
            path_id = *before;
        }
        first.cloned()
    }
}

/// The names of a path, from position `from` on.
fn names<'a>(path: Cow<'a, PathNode<'a>>, from: usize) -> SegmentNames<'a> {
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path.parts[from..]),
        Cow::Owned(path) => Cow::Owned(path.parts[from..].to_vec()),
    }
}

/// Whether a helper accepts a missing value as this argument. A variable in it is not required.
fn accepts_missing(name: &str, at: usize) -> bool {
    match name {
        "default" => at == 0,
        "eq" | "ne" | "and" | "or" | "not" | "log" => true,
        _ => false,
    }
}
