//! The parts of a history in Gemini's own format, which are sent as they came where the API accepts them.

use super::TurnCall;
use super::parts::{PartWriter, SCHEMES};
use crate::base64;
use crate::convert::image_address::{self, FILE};
use crate::convert::media_type;
use crate::convert::payload::{Member, Payload, member, put, text_of};
use crate::convert::rules::{self, CallRef, DROPPED, LEFT_OUT, PASSED_ON};
use crate::error::Result;
use crate::prompt::{Carried, Role, ToolCall, is_part_content};
use crate::template::Output;

impl PartWriter<'_, '_> {
    /// The parts of a message of the user or the model, with the calls that it makes and what is sent of each.
    pub(super) fn own_parts<S: Output>(
        &mut self,
        carried: Carried<S>,
        calls: Vec<ToolCall<S>>,
        sent: &[TurnCall],
    ) -> Result<Vec<Payload<S>>> {
        let mut calls = calls.into_iter().zip(sent).enumerate();
        let mut parts = Vec::with_capacity(carried.items.len());
        for (index, item) in carried.items.into_iter().enumerate() {
            let Payload::Map(part) = Payload::from_tree(item) else { continue };
            parts.extend(self.own_part(part, index, &mut calls, None)?);
        }
        Ok(parts)
    }

    /// The part of a result that answers this call.
    pub(super) fn own_result<S: Output>(
        &mut self,
        carried: Carried<S>,
        call: Option<&TurnCall>,
    ) -> Result<Vec<Payload<S>>> {
        let mut parts = Vec::with_capacity(1);
        for (index, item) in carried.items.into_iter().enumerate() {
            let Payload::Map(part) = Payload::from_tree(item) else { continue };
            parts.extend(self.own_part(part, index, &mut std::iter::empty(), call)?);
        }
        Ok(parts)
    }

    fn own_part<'c, S: Output>(
        &mut self,
        mut part: Vec<Member<S>>,
        index: usize,
        calls: &mut impl Iterator<Item = (usize, (ToolCall<S>, &'c TurnCall))>,
        answered: Option<&TurnCall>,
    ) -> Result<Option<Payload<S>>> {
        let is_signed = self.check_signature(&mut part, index)?;
        let Some(at) = part.iter().position(|(key, _)| is_part_content(key.as_str())) else {
            let violation =
                self.violation(format!("part {index} has no content"), "give it a `text`, or remove it");
            if !is_signed {
                return self.dropped(violation);
            }
            self.violations.handle(violation, "sent with an empty text")?;
            part.push(member("text", Payload::Static("")));
            return Ok(Some(Payload::Map(part)));
        };
        let (key, content) = part.remove(at);
        let content = match (key.as_str(), content) {
            ("text", text) => self.own_text(text, is_signed, index)?,
            (kind @ ("inline_data" | "file_data"), Payload::Map(media)) => {
                self.own_media(kind, media, index)?
            }
            ("function_call", Payload::Map(call)) => match calls.next() {
                Some((number, (call_of_message, sent))) => {
                    Some(self.own_call(call, call_of_message, number, sent)?)
                }
                None => Some(Payload::Map(call)),
            },
            ("function_response", Payload::Map(response)) => {
                Some(self.own_response(response, answered, index)?)
            }
            (_, content) => Some(content),
        };
        Ok(content.map(|content| {
            part.insert(at, (key, content));
            Payload::Map(part)
        }))
    }

    /// Whether the part has a signature, which is base64.
    fn check_signature<S: Output>(&mut self, part: &mut Vec<Member<S>>, index: usize) -> Result<bool> {
        let Some(at) = part.iter().position(|(key, _)| key.as_str() == "thought_signature") else {
            return Ok(false);
        };
        if part[at].1.with_str(|text| base64::decode(text).is_some()) == Some(true) {
            return Ok(true);
        }
        let problem = format!("the `thought_signature` of part {index} is not base64");
        let hint = "give it as the bytes or the base64 text of the reply";
        self.violations.handle(self.violation(problem, hint), LEFT_OUT)?;
        part.remove(at);
        Ok(false)
    }

    fn own_text<S: Output>(
        &mut self,
        text: Payload<S>,
        is_signed: bool,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        if is_signed || text.with_str(|text| text.trim().is_empty()) != Some(true) {
            return Ok(Some(text));
        }
        let problem = format!("part {index} is a blank text");
        self.dropped(self.violation(problem, "remove the part, or give it text"))
    }

    /// Data or a file with its address. The model's own go back in as they came, if they have what the API requires.
    fn own_media<S: Output>(
        &mut self,
        kind: &str,
        mut media: Vec<Member<S>>,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let source = if kind == "inline_data" { "data" } else { "file_uri" };
        let Some(text) = text_of(&media, source).filter(|text| !text.is_empty()) else {
            let problem = format!("`{kind}` of part {index} has no `{source}`");
            return self.dropped(self.violation(problem, "add it, or remove the part"));
        };
        if source == "data" {
            respell(&mut media, source, &text);
        } else if let Err(problem) = image_address::with_scheme(&text, &SCHEMES, FILE, index, "Gemini") {
            let hint = "send the data in base64, or give an `https://` or `gs://` address";
            return self.dropped(self.violation(problem, hint));
        }
        match text_of(&media, MIME_TYPE) {
            Some(given) if self.at.role != Role::Assistant => {
                self.accepted_type::<S>(&given, FILE, index)?;
            }
            Some(_) => {}
            None => return self.without_type(kind, media, index),
        }
        Ok(Some(Payload::Map(media)))
    }

    /// Data or a file with the MIME type of its name.
    fn without_type<S: Output>(
        &mut self,
        kind: &str,
        mut media: Vec<Member<S>>,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let violation = self
            .violation(format!("`{kind}` of part {index} has no `mime_type`"), "add it, such as image/png");
        let mut names = ["display_name", "file_uri"].into_iter().filter_map(|key| text_of(&media, key));
        let by_name = names.find_map(|name| media_type::of_name(&name));
        let Some(by_name) = by_name else {
            let has_address = kind == "file_data";
            self.violations.handle(violation, if has_address { PASSED_ON } else { DROPPED })?;
            return Ok(has_address.then_some(Payload::Map(media)));
        };
        self.violations.handle(violation, &format!("sent as {by_name}"))?;
        media.retain(|(key, _)| key.as_str() != MIME_TYPE);
        media.push(member(MIME_TYPE, Payload::Static(by_name)));
        Ok(Some(Payload::Map(media)))
    }

    /// A call with the id that it is sent with, if it came with one.
    fn own_call<S: Output>(
        &mut self,
        mut call: Vec<Member<S>>,
        call_of_message: ToolCall<S>,
        number: usize,
        sent: &TurnCall,
    ) -> Result<Payload<S>> {
        let arguments = call_of_message.function.arguments;
        if call.iter().any(|(key, _)| key.as_str() == "args") {
            let args = rules::object_or_text(arguments, CallRef::Tool(number), self.at, self.violations)?;
            put(&mut call, "args", args);
        }
        if sent.has_id {
            put(&mut call, "id", Payload::String(sent.id.clone()));
        }
        Ok(Payload::Map(call))
    }

    /// A result with the id and name of its call.
    fn own_response<S: Output>(
        &mut self,
        mut response: Vec<Member<S>>,
        call: Option<&TurnCall>,
        index: usize,
    ) -> Result<Payload<S>> {
        self.check_name(&mut response, call, index)?;
        match call {
            Some(call) if call.has_id => put(&mut response, "id", Payload::String(call.id.clone())),
            Some(_) => response.retain(|(key, _)| key.as_str() != "id"),
            None => {}
        }
        let given = response.iter().position(|(key, _)| key.as_str() == "response");
        if !given.is_some_and(|at| matches!(response[at].1, Payload::Map(_))) {
            let problem = format!("the `response` of part {index} is not an object");
            let hint = "write it as an object, such as {\"output\": \"…\"}";
            self.violations.handle(self.violation(problem, hint), "sent as `output`")?;
            let output = given.map_or(Payload::Static(""), |at| response.remove(at).1);
            response.push(member("response", Payload::map([("output", output)])));
        }
        let Some(at) = response.iter().position(|(key, _)| key.as_str() == "parts") else {
            return Ok(Payload::Map(response));
        };
        if let Payload::List(parts) = std::mem::replace(&mut response[at].1, Payload::Null) {
            response[at].1 = Payload::List(self.own_media_parts(parts, index)?);
        }
        Ok(Payload::Map(response))
    }

    fn own_media_parts<S: Output>(
        &mut self,
        parts: Vec<Payload<S>>,
        index: usize,
    ) -> Result<Vec<Payload<S>>> {
        let mut sent = Vec::with_capacity(parts.len());
        for part in parts {
            let Payload::Map(mut part) = part else { continue };
            for kind in ["inline_data", "file_data"] {
                let Some(at) = part.iter().position(|(key, _)| key.as_str() == kind) else { continue };
                let Payload::Map(media) = part.remove(at).1 else { continue };
                let media = self.own_media(kind, media, index)?;
                part.extend(media.map(|media| (kind.to_owned().into(), media)));
            }
            sent.extend((!part.is_empty()).then_some(Payload::Map(part)));
        }
        Ok(sent)
    }

    fn check_name<S: Output>(
        &mut self,
        response: &mut Vec<Member<S>>,
        call: Option<&TurnCall>,
        index: usize,
    ) -> Result<()> {
        let name = text_of(response, "name");
        let Some(call) = call.filter(|call| name.as_ref() != Some(&call.name)) else { return Ok(()) };
        let problem = format!("the function response in part {index} does not have the name of its call");
        let hint = "set `name` to the name of the function that was called";
        self.violations.handle(self.violation(problem, hint), "sent with the name of the call")?;
        put(response, "name", Payload::String(call.name.clone()));
        Ok(())
    }
}

const MIME_TYPE: &str = "mime_type";

/// Spells base64 as the API reads it.
fn respell<S>(media: &mut Vec<Member<S>>, key: &'static str, text: &str) {
    if let Some(std::borrow::Cow::Owned(plain)) = base64::plain(text) {
        put(media, key, Payload::String(plain));
    }
}
