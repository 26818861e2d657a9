//! The addresses of images and files that providers cannot read: a file of the caller's machine is out of their reach.

use super::report::{Position, RuleViolation};
use crate::template::Output;

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressKind {
    /// A path, or a `file:` URL.
    File,
    /// A URL with one of these schemes: `data`, `https`, or any other.
    Data,
    Https,
    Other,
}

impl AddressKind {
    fn of(address: &str) -> Self {
        let address = address.trim_start();
        let scheme = address.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
        match scheme.map(str::to_ascii_lowercase).as_deref() {
            None | Some("file") => Self::File,
            Some("data") => Self::Data,
            Some("https") => Self::Https,
            Some(_) => Self::Other,
        }
    }
}

/// The kind of an address, by its name, for the adapters in Python.
#[cfg(feature = "python")]
pub(crate) fn kind_of(address: &str) -> &'static str {
    match AddressKind::of(address) {
        AddressKind::File => "file",
        AddressKind::Data => "data",
        AddressKind::Https => "https",
        AddressKind::Other => "other",
    }
}

/// Whether it is the scheme of a URL. One letter is a drive of Windows.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// What has the address, for error messages.
pub(super) const IMAGE: &str = "image";
/// See [`IMAGE`].
pub(super) const FILE: &str = "file";

/// The violation if an image or file is a file of the caller's machine. An empty address has an error of its own.
pub(super) fn local_address<S: Output>(
    url: &S,
    what: &str,
    index: usize,
    at: Position,
    provider: &str,
) -> Option<RuleViolation> {
    let problem = local_problem(url, what, index, provider)?;
    Some(RuleViolation::new(at, problem, "send the data in base64, or an `https://` URL"))
}

/// The problem of an image or file that is a file of the caller's machine.
fn local_problem<S: Output>(url: &S, what: &str, index: usize, provider: &str) -> Option<String> {
    let problem = "is a path or a `file:` URL, which";
    (url.with_str(AddressKind::of) == AddressKind::File)
        .then(|| format!("the address of the {what} in part {index} {problem} {provider} cannot read"))
}

/// The address with its scheme in lower case, if that is one of those that the provider reads. Otherwise the problem.
pub(super) fn with_scheme<S: Output>(
    url: &S,
    schemes: &[&str],
    what: &str,
    index: usize,
    provider: &str,
) -> Result<String, String> {
    let known = url.with_str(|url| {
        let url = url.trim();
        let of =
            |scheme: &&str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let scheme = schemes.iter().copied().find(of)?;
        Some(format!("{scheme}{}", &url[scheme.len()..]))
    });
    known.ok_or_else(|| {
        local_problem(url, what, index, provider).unwrap_or_else(|| {
            let schemes: Vec<String> = schemes.iter().map(|scheme| format!("`{scheme}`")).collect();
            let schemes = schemes.join(" or ");
            format!(
                "the address of the {what} in part {index} does not begin with {schemes}, and {provider} reads no other"
            )
        })
    })
}

/// The violation if an image or file has another address than an `https:` or a `data:` URL.
pub(super) fn not_https<S: Output>(
    url: &S,
    what: &str,
    index: usize,
    at: Position,
    provider: &str,
) -> Option<RuleViolation> {
    local_address(url, what, index, at, provider).or_else(|| {
        (url.with_str(AddressKind::of) == AddressKind::Other).then(|| {
            let problem = format!(
                "the address of the {what} in part {index} is not an `https://` URL, and {provider} accepts only `https://` and `data:` URLs"
            );
            RuleViolation::new(at, problem, "use `https://`, or send the data in base64")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::AddressKind;

    #[test]
    fn an_address_is_a_file_if_it_has_no_scheme() {
        for path in [
            "cat.png",
            "./a:b.png",
            "/tmp/cat.png",
            r"C:\cat.png",
            "c:/cat.png",
            "~/cat.png",
            "//host/cat.png",
        ] {
            assert_eq!(AddressKind::of(path), AddressKind::File, "{path}");
        }
        for url in ["file:///tmp/cat.png", "FILE:cat.png", " file://cat.png"] {
            assert_eq!(AddressKind::of(url), AddressKind::File, "{url}");
        }
        for (url, kind) in [
            ("https://example.org/a.png", AddressKind::Https),
            ("HTTPS://example.org/a.png", AddressKind::Https),
            ("http://example.org/a.png", AddressKind::Other),
            ("gs://bucket/a.png", AddressKind::Other),
            ("data:image/png;base64,AAAA", AddressKind::Data),
            ("Data:image/png;base64,AAAA", AddressKind::Data),
        ] {
            assert_eq!(AddressKind::of(url), kind, "{url}");
        }
    }
}
