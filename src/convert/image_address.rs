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

/// The kind of an address, by its name.
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
    (url.with_str(AddressKind::of) == AddressKind::File).then(|| {
        let problem = format!(
            "the address of the {what} in part {index} is a path or a `file:` URL, which {provider} cannot read"
        );
        RuleViolation::new(at, problem, "send the data in base64, or an `https://` URL")
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
