//! Which variables a template reads, and how: found in the syntax tree, without rendering.
//!
//! The walk knows what `this` is wherever it stands (`docs[]` within `{{#each docs}}`), so that every use becomes a
//! path from the variable it starts at. A use counts as guarded where it stands under a test of the same variable;
//! a variable whose every use is guarded or a mere test may be left out by the caller.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::ast::{Block, Call, Expr, ExprKind, Partial, Path, Program, Statement};
use crate::error::{Error, Kind, Result};
use crate::limits::{VARIABLE_BYTES, VARIABLE_USES};

/// How a template uses one variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Whether a render needs it: some use is not under a test of it, and is more than a test. What is not required
    /// is optional.
    pub required: bool,
    /// Whether it is only tested, as `flag` is by `{{#if flag}}`: nothing of it is printed, walked or handed on.
    pub tested: bool,
    /// Whether a loop walks it.
    pub iterated: bool,
    /// Every path that is read from it, such as `user.name` or `docs[].title`, in order.
    pub paths: BTreeSet<String>,
}

impl Variable {
    /// Takes in what another template does with the same variable.
    pub fn join(&mut self, other: Self) {
        self.required |= other.required;
        self.tested &= other.tested;
        self.iterated |= other.iterated;
        self.paths.extend(other.paths);
    }
}

/// The variables of a template by name.
pub type Variables = BTreeMap<String, Variable>;

/// What one template's source says, before its partials are looked at.
#[derive(Debug, Default)]
pub(super) struct Usage {
    legs: Box<[Leg]>,
    /// Each use that differs from the others.
    uses: Box<[Use]>,
    includes: Box<[Include]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    route: Route,
    purpose: Purpose,
    needed: bool,
}

/// A partial that the template includes.
#[derive(Debug)]
struct Include {
    name: Box<str>,
    /// The path of its context; `None` where it cannot be known.
    context: Option<Route>,
    /// The names that its hash gives it.
    given: HashSet<String>,
    guards: Guards,
}

/// A path from the template's context: the context itself, or so many legs from the first of the list. What stands
/// within a block shares the block's path, so that a template of many names under a long path takes no more room
/// than its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Route(usize);

#[derive(Debug)]
struct Leg {
    before: Route,
    /// At least one.
    names: Box<[Box<str>]>,
}

impl Usage {
    /// The names of a path in pieces, the last piece first.
    fn backwards(&self, route: Route) -> impl Iterator<Item = &[Box<str>]> {
        let mut at = route;
        std::iter::from_fn(move || {
            let leg = self.legs.get(at.0.checked_sub(1)?)?;
            at = leg.before;
            Some(&*leg.names)
        })
    }
}

impl Route {
    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The variables that are tested around a place, those of the innermost test first.
#[derive(Debug, Clone, Default)]
struct Guards(Option<Arc<Test>>);

#[derive(Debug)]
struct Test {
    /// Sorted.
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

/// The segment that stands for the items of a list.
const ITEMS: &str = "[]";

/// The leg to the items of a list.
static ITEM: [Cow<'static, str>; 1] = [Cow::Borrowed(ITEMS)];

/// How deep partials are followed.
const DEPTH: usize = 50;

/// Reads a template's own uses. A lone name is no variable where the caller registered a helper that is called so.
pub(super) fn usage(program: &Program, is_helper: &dyn Fn(&str) -> bool) -> Usage {
    let mut reader = Reader {
        is_helper,
        legs: Vec::new(),
        known: HashMap::new(),
        uses: Vec::new(),
        includes: Vec::new(),
        contexts: vec![Some(Route::default())],
        params: HashMap::new(),
        guards: Vec::new(),
        inlines: HashMap::new(),
    };
    reader.program(program);
    let owned = |names: &[Cow<'_, str>]| names.iter().map(|name| (**name).into()).collect();
    let legs = reader.legs.iter().map(|(before, names)| Leg { before: *before, names: owned(names) });
    // What is read again and again is one use.
    reader.uses.sort_unstable();
    reader.uses.dedup();
    Usage { legs: legs.collect(), uses: reader.uses.into(), includes: reader.includes.into() }
}

/// Joins a template's uses with those of the partials that it includes.
///
/// # Errors
/// [`Kind::TemplateSyntax`] where partials include each other so often, or paths are so long, that the account would
/// pass its limits.
pub(super) fn join(usage: &Usage, partial: &dyn Fn(&str) -> Option<Arc<Usage>>) -> Result<Variables> {
    let mut account = Account { partial, uses: 0, bytes: 0, open: Vec::new(), variables: Variables::new() };
    account.collect(usage, &Inclusion { context: Some(Full::default()), given: None, guards: None })?;
    Ok(account.variables)
}

struct Account<'a> {
    partial: &'a dyn Fn(&str) -> Option<Arc<Usage>>,
    uses: u64,
    /// The length of all paths that were spelled.
    bytes: usize,
    /// The partials that are being followed.
    open: Vec<Box<str>>,
    variables: Variables,
}

/// What a template is included with.
struct Inclusion<'a> {
    /// `None` where it cannot be known.
    context: Option<Full>,
    given: Option<&'a Given<'a>>,
    guards: Option<&'a Guarded<'a>>,
}

/// Names that a partial was given. They stay given where it passes its context on whole.
struct Given<'a> {
    names: &'a HashSet<String>,
    outer: Option<&'a Given<'a>>,
}

/// The tests around a partial, and those around the one that includes it.
struct Guarded<'a> {
    guards: &'a Guards,
    outer: Option<&'a Guarded<'a>>,
}

/// A path from the context of the outermost template.
#[derive(Default)]
struct Full {
    names: usize,
    first: String,
    spelled: String,
}

impl Account<'_> {
    fn collect(&mut self, usage: &Usage, inclusion: &Inclusion<'_>) -> Result<()> {
        for one in &usage.uses {
            self.count()?;
            let Some(path) = self.full(usage, one.route, inclusion)? else { continue };
            if path.names == 0 || path.first == ITEMS {
                continue;
            }
            let guarded = std::iter::successors(inclusion.guards, |guarded| guarded.outer)
                .any(|guarded| guarded.guards.contain(&path.first));
            let unseen = Variable { tested: true, ..Variable::default() };
            let variable = self.variables.entry(path.first).or_insert(unseen);
            variable.required |= one.needed && !guarded;
            variable.tested &= one.purpose == Purpose::Tested;
            variable.iterated |= one.purpose == Purpose::Iterated && path.names == 1;
            variable.paths.insert(path.spelled);
        }
        usage.includes.iter().try_for_each(|include| self.include(usage, include, inclusion))
    }

    fn include(&mut self, usage: &Usage, include: &Include, inclusion: &Inclusion<'_>) -> Result<()> {
        self.count()?;
        if self.open.len() >= DEPTH || self.open.contains(&include.name) {
            return Ok(());
        }
        let Some(inner) = (self.partial)(&include.name) else { return Ok(()) };
        let context = match include.context {
            Some(context) => self.full(usage, context, inclusion)?,
            None => None,
        };
        let passed_on = include.context.is_some_and(Route::is_empty);
        let given = Given { names: &include.given, outer: inclusion.given.filter(|_| passed_on) };
        let guarded = Guarded { guards: &include.guards, outer: inclusion.guards };
        self.open.push(include.name.clone());
        self.collect(&inner, &Inclusion { context, given: Some(&given), guards: Some(&guarded) })?;
        self.open.pop();
        Ok(())
    }

    /// The path as it is in the outermost template; `None` where that cannot be known, or a partial was given it.
    fn full(&mut self, usage: &Usage, route: Route, inclusion: &Inclusion<'_>) -> Result<Option<Full>> {
        let Some(context) = &inclusion.context else { return Ok(None) };
        let pieces: Vec<&[Box<str>]> = usage.backwards(route).collect();
        let names = || pieces.iter().rev().flat_map(|piece| piece.iter());
        let first = names().next().map(|name| &**name);
        let is_given = |name: &str| {
            std::iter::successors(inclusion.given, |given| given.outer)
                .any(|given| given.names.contains(name))
        };
        if first.is_some_and(is_given) {
            return Ok(None);
        }
        let bytes = context.spelled.len() + names().map(|name| name.len() + 1).sum::<usize>();
        self.bytes += bytes;
        if self.bytes > VARIABLE_BYTES {
            return Err(too_much(&format!("their paths are longer than {VARIABLE_BYTES} bytes together")));
        }
        let mut spelled = String::with_capacity(bytes);
        spelled.push_str(&context.spelled);
        for name in names() {
            if **name != *ITEMS && !spelled.is_empty() {
                spelled.push('.');
            }
            spelled.push_str(name);
        }
        let first = match first {
            Some(first) if context.names == 0 => first.to_owned(),
            _ => context.first.clone(),
        };
        Ok(Some(Full { names: context.names + names().count(), first, spelled }))
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
    Error::new(Kind::TemplateSyntax, message).with_hint("do its partials include each other again and again?")
}

struct Reader<'a> {
    /// Whether the caller registered a helper of this name.
    is_helper: &'a dyn Fn(&str) -> bool,
    legs: Vec<(Route, Names<'a>)>,
    /// Where each leg is in the list.
    known: HashMap<(Route, Names<'a>), Route>,
    uses: Vec<Use>,
    includes: Vec<Include>,
    /// The paths of the contexts that `../` can reach, innermost last; `None` where one cannot be known.
    contexts: Vec<Option<Route>>,
    /// Block parameters in scope and what they stand for, innermost last.
    params: HashMap<&'a str, Vec<Option<Route>>>,
    /// The tests around the place that is read, the innermost last.
    guards: Vec<Guard<'a>>,
    /// Partials that the template defines itself, and how often in the blocks around.
    inlines: HashMap<&'a str, usize>,
}

/// At least one name of a path.
type Names<'a> = Cow<'a, [Cow<'a, str>]>;

/// A test around the place that is read.
struct Guard<'a> {
    /// The variables that it tests, sorted.
    names: Vec<Cow<'a, str>>,
    /// With those around it, for the partials that are included here, once there is one.
    kept: Option<Guards>,
}

/// What a place does with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    /// Prints it, or cannot do without.
    Needed,
    /// Asks whether it is there or true.
    Tested,
    /// Hands it on to what can do without: a partial, a helper such as `default`.
    Passed,
    Iterated,
}

impl<'a> Reader<'a> {
    fn program(&mut self, program: &'a Program<'a>) {
        let defined = || {
            program.body.iter().filter_map(|statement| match statement {
                Statement::Inline(inline) => match &inline.name.kind {
                    ExprKind::String(name) => Some(&**name),
                    _ => None,
                },
                _ => None,
            })
        };
        for name in defined() {
            *self.inlines.entry(name).or_default() += 1;
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
            Statement::Partial(partial) => self.partial(partial),
            Statement::PartialBlock(block) => {
                self.partial(&block.partial);
                self.program(&block.program);
            }
            Statement::Inline(inline) => self.program(&inline.program),
        }
    }

    fn block(&mut self, block: &'a Block<'a>) {
        let callee = block.call.callee.as_path();
        let name = callee.as_ref().and_then(|path| path.simple_name());
        let argument = block.call.params.first();
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
                self.argument(list, Purpose::Iterated);
                let list = self.resolve(list);
                let item = list.map(|list| self.then(list, Cow::Borrowed(&ITEM)));
                self.scoped(program, item);
                self.branch(inverse);
            }
            (Some("with"), Some(value)) => {
                self.argument(value, Purpose::Needed);
                let context = self.resolve(value);
                self.scoped(program, context);
                self.branch(inverse);
            }
            _ => self.value_block(block),
        }
    }

    /// A block on a value. What it is, list, object or flag, is not known here; its members are read as an object's.
    fn value_block(&mut self, block: &'a Block<'a>) {
        self.call(&block.call, Purpose::Tested);
        let path = block.call.params.is_empty().then(|| block.call.callee.as_path()).flatten();
        let path = path.filter(|path| !self.is_call(path));
        let context = path.and_then(|path| self.resolve_path(path));
        let guard = context.and_then(|context| self.first(context));
        self.guarded(guard.into_iter().collect(), |reader| reader.scoped(block.program.as_ref(), context));
        self.branch(block.inverse.as_ref());
    }

    /// Reads what stands under a test of these variables.
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

    /// The tests around the place, to be kept.
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

    /// Reads a branch whose context is another value.
    fn scoped(&mut self, program: Option<&'a Program<'a>>, context: Option<Route>) {
        let Some(program) = program else { return };
        for (at, name) in program.block_params.iter().enumerate().rev() {
            let stands_for = context.filter(|_| at == 0);
            self.params.entry(name).or_default().push(stands_for);
        }
        self.contexts.push(context);
        self.program(program);
        self.contexts.pop();
        for name in &program.block_params {
            self.params.get_mut(&**name).and_then(Vec::pop);
        }
    }

    fn partial(&mut self, partial: &'a Partial<'a>) {
        if let Some(context) = &partial.context {
            self.argument(context, Purpose::Passed);
        }
        for (_, value) in &partial.hash {
            self.argument(value, Purpose::Passed);
        }
        let Some(path) = partial.name.as_path() else {
            return self.argument(&partial.name, Purpose::Needed);
        };
        let name = &*path.original;
        if self.inlines.get(name).is_some_and(|count| *count > 0) || name == "@partial-block" {
            return;
        }
        let context = match &partial.context {
            Some(context) => self.resolve(context),
            None => self.contexts.last().copied().flatten(),
        };
        let given = partial.hash.iter().map(|(name, _)| name.to_string()).collect();
        let guards = self.kept_guards();
        self.includes.push(Include { name: name.into(), context, given, guards });
    }

    fn call(&mut self, call: &'a Call<'a>, purpose: Purpose) {
        if call.params.is_empty() && call.hash.is_empty() {
            if let Some(path) = call.callee.as_path().filter(|path| !self.is_call(path)) {
                self.read(path, purpose);
            }
            return;
        }
        let name = call.callee.name();
        for (at, value) in call.params.iter().enumerate() {
            let forgiven = forgives(&name, at);
            self.argument(
                value,
                if forgiven && purpose != Purpose::Tested { Purpose::Passed } else { purpose },
            );
        }
        for (_, value) in &call.hash {
            self.argument(value, purpose);
        }
    }

    /// Whether a name without arguments calls a helper that the caller registered.
    fn is_call(&self, path: &Path) -> bool {
        let is_param = |name: &str| self.params.get(name).is_some_and(|places| !places.is_empty());
        path.simple_name().is_some_and(|name| !is_param(name) && (self.is_helper)(name))
    }

    fn argument(&mut self, expr: &'a Expr<'a>, purpose: Purpose) {
        match &expr.kind {
            ExprKind::Path(path) => self.read(Cow::Borrowed(path), purpose),
            ExprKind::Call(call) => self.call(call, purpose),
            _ => {}
        }
    }

    /// The variables that a condition tests.
    fn tested(&mut self, expr: &'a Expr<'a>, into: &mut Vec<Cow<'a, str>>) {
        match &expr.kind {
            ExprKind::Path(path) => {
                let route = self.resolve_path(Cow::Borrowed(path));
                into.extend(route.and_then(|route| self.first(route)));
            }
            ExprKind::Call(call) => {
                for value in &call.params {
                    self.tested(value, into);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, path: Cow<'a, Path<'a>>, purpose: Purpose) {
        let Some(route) = self.resolve_path(path) else { return };
        let Some(name) = self.first(route) else { return };
        let needed = matches!(purpose, Purpose::Needed | Purpose::Iterated) && !self.is_guarded(&name);
        self.uses.push(Use { route, purpose, needed });
    }

    fn resolve(&mut self, expr: &'a Expr<'a>) -> Option<Route> {
        match &expr.kind {
            ExprKind::Path(path) => self.resolve_path(Cow::Borrowed(path)),
            _ => None,
        }
    }

    /// The path from the template's context; `None` for loop data, literals and what cannot be known.
    fn resolve_path(&mut self, path: Cow<'a, Path<'a>>) -> Option<Route> {
        let first = path.parts.first();
        if path.data {
            first.filter(|name| **name == "root")?;
            let root = (*self.contexts.first()?)?;
            return Some(self.then(root, names(path, 1)));
        }
        if path.depth == 0
            && !path.scoped
            && let Some(stands_for) =
                first.and_then(|first| self.params.get(&**first)).and_then(|places| places.last())
        {
            let stands_for = (*stands_for)?;
            return Some(self.then(stands_for, names(path, 1)));
        }
        let at = self.contexts.len().checked_sub(path.depth + 1)?;
        let context = self.contexts[at]?;
        Some(self.then(context, names(path, 0)))
    }

    /// The path that goes on from another with these names.
    fn then(&mut self, before: Route, names: Names<'a>) -> Route {
        if names.is_empty() {
            return before;
        }
        let next = Route(self.legs.len() + 1);
        let legs = &mut self.legs;
        *self.known.entry((before, names)).or_insert_with_key(|leg| {
            legs.push(leg.clone());
            next
        })
    }

    /// The variable that a path starts at.
    fn first(&self, mut route: Route) -> Option<Cow<'a, str>> {
        let mut first = None;
        while let Some((before, names)) = route.0.checked_sub(1).and_then(|at| self.legs.get(at)) {
            first = names.first();
            route = *before;
        }
        first.cloned()
    }
}

/// The names of a path from the one at this position on.
fn names<'a>(path: Cow<'a, Path<'a>>, from: usize) -> Names<'a> {
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path.parts[from..]),
        Cow::Owned(path) => Cow::Owned(path.parts[from..].to_vec()),
    }
}

/// Whether a helper accepts a missing value as this argument. A variable in it is not required.
fn forgives(name: &str, at: usize) -> bool {
    match name {
        "default" => at == 0,
        "eq" | "ne" | "and" | "or" | "not" | "log" => true,
        _ => false,
    }
}
