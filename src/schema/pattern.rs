//! Converts patterns for JSON Schema, which uses ECMA-262. Our patterns support most of its syntax, and some syntax of
//! their own.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, GroupKind, HexLiteralKind, Literal,
    LiteralKind, SpecialLiteralKind, Visitor, visit,
};

/// The pattern, if it means the same in ECMA-262; `None` if it has flags, classes or anchors that ECMA-262 lacks.
pub(super) fn to_ecma(pattern: &str) -> Option<String> {
    let ast = Parser::new().parse(pattern).ok()?;
    visit(&ast, EcmaCheck).is_ok().then(|| pattern.to_owned())
}

/// Fails at syntax that ECMA-262 lacks.
struct EcmaCheck;

impl Visitor for EcmaCheck {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        match ast {
            Ast::Flags(_) | Ast::ClassUnicode(_) => Err(()),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => Ok(()),
                GroupKind::CaptureName { starts_with_p, .. } if !starts_with_p => Ok(()),
                GroupKind::NonCapturing(flags) if flags.items.is_empty() => Ok(()),
                _ => Err(()),
            },
            Ast::Assertion(assertion) => anchor(assertion),
            Ast::Literal(literal) => plain(literal),
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Repetition(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
        match item {
            ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => Err(()),
            ClassSetItem::Literal(literal) => plain(literal),
            ClassSetItem::Range(range) => plain(&range.start).and_then(|()| plain(&range.end)),
            ClassSetItem::Empty(_) | ClassSetItem::Perl(_) | ClassSetItem::Union(_) => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), ()> {
        Err(())
    }
}

fn anchor(assertion: &Assertion) -> Result<(), ()> {
    match assertion.kind {
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::WordBoundary
        | AssertionKind::NotWordBoundary => Ok(()),
        _ => Err(()),
    }
}

fn plain(literal: &Literal) -> Result<(), ()> {
    match literal.kind {
        LiteralKind::HexBrace(_)
        | LiteralKind::HexFixed(HexLiteralKind::UnicodeLong)
        | LiteralKind::Octal
        | LiteralKind::Special(SpecialLiteralKind::Bell | SpecialLiteralKind::Space) => Err(()),
        _ => Ok(()),
    }
}
