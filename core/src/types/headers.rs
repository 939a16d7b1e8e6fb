//! Request headers as a single string. They are kept for the life of a connection, and a dozen boxed pairs take twice
//! the memory of their text.

use std::borrow::Cow;
use std::fmt;

/// Header names in lower case with their values, in the order received.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Box<str>);

impl Headers {
    /// Names and values in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.0.split_terminator('\n');
        std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    }

    /// Their size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The values of all lines with this (lower-case) name, joined: HTTP defines them as one list.
    pub fn list(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.iter().filter(|(n, _)| *n == name).map(|(_, value)| value);
        let first = Cow::Borrowed(values.next()?);
        Some(values.fold(first, |list, value| Cow::Owned(format!("{list}, {value}"))))
    }

    /// The first value of this (lower-case) name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// HTTP forbids line feeds in names and values. One that a host puts there becomes a space.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut text = String::with_capacity(512);
        for (name, value) in pairs {
            for part in [name.as_ref(), value.as_ref()] {
                let start = text.len();
                text.push_str(part);
                if text[start..].contains('\n') {
                    let clean = text[start..].replace('\n', " ");
                    text.replace_range(start.., &clean);
                }
                text.push('\n');
            }
        }
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_in_order_and_the_first_of_a_name_is_found() {
        let pairs = [("host", "a"), ("x-empty", ""), ("cookie", "b"), ("cookie", "c\td")];
        let headers: Headers = pairs.into_iter().collect();
        assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
        assert_eq!(headers.get("cookie"), Some("b"));
        assert_eq!(headers.get("x-empty"), Some(""));
        assert_eq!(headers.get("none"), None);
        assert_eq!(headers.list("cookie").as_deref(), Some("b, c\td"));
        assert_eq!(headers.list("host").as_deref(), Some("a"));
        assert_eq!(headers.list("none"), None);
        assert_eq!(Headers::default().iter().count(), 0);
    }

    #[test]
    fn a_line_feed_does_not_shift_what_follows() {
        let headers: Headers = [("a", "1\n2"), ("b", "3")].into_iter().collect();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "1 2"), ("b", "3")]);
    }
}
