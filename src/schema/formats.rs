//! The formats that a text can be checked for: email address, URL, date, date with a time, UUID.

use email_address::{EmailAddress, Options};
use url::Url;
use uuid::Uuid;

/// Whether a text is an email address: `local@domain`, with a dot in the domain, in any script.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    let ascii = |domain: &str| idna_of(domain).is_some();
    EmailAddress::parse_with_options(text, options).is_ok_and(|address| ascii(address.domain()))
}

/// The ASCII (IDNA) spelling of a domain name. `None` for an IP address or an invalid domain.
fn idna_of(domain: &str) -> Option<String> {
    match Url::parse(&format!("http://{domain}/")).ok()?.host()? {
        url::Host::Domain(domain) => Some(domain.to_owned()),
        _ => None,
    }
}

/// Whether a text is an absolute `http` or `https` URL with a host: a name in any script, IPv4, or IPv6 in brackets.
#[must_use]
pub fn is_url(text: &str) -> bool {
    // The parser accepts blanks, backslashes, and too few or too many slashes. Other programs that read the URL may
    // not, so they are refused.
    let host = text
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    host.is_some_and(|(_, host)| !host.starts_with('/'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Whether a text is a date such as `2026-01-31`.
#[must_use]
pub fn is_date(text: &str) -> bool {
    speedate::Date::parse_str_rfc3339(text).is_ok_and(|date| date.year > 0)
}

/// Whether a text is a date with a time, such as `2026-01-31T12:00:00Z`. It may have an offset.
#[must_use]
pub fn is_datetime(text: &str) -> bool {
    speedate::DateTime::parse_str_rfc3339(text).is_ok_and(|moment| moment.date.year > 0)
}

/// Whether a text is a UUID, in any of the notations that Python accepts.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok()
}
