//! Content of an event: a name, arguments as JSON text, attachments.

use std::fmt::Write as _;

use bytes::Bytes;
use kraken_ws_codec::packet::json::replace_placeholders;

/// Name, arguments and attachments of an event.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) name: Box<str>,
    /// Start and length of the JSON text of each argument in `data`.
    pub(crate) args: Vec<(usize, usize)>,
    pub(crate) data: Box<str>,
    pub(crate) attachments: Vec<Bytes>,
}

impl Content {
    /// Reads the arguments of an answer: a JSON array.
    pub(crate) fn answer(data: Box<str>, attachments: Vec<Bytes>) -> Self {
        let args = arguments(&data);
        Self { name: Box::default(), args, data, attachments }
    }

    /// Reads an event: a JSON array whose first item is the event's name.
    pub(crate) fn event(data: Box<str>, attachments: Vec<Bytes>) -> Self {
        let mut content = Self::answer(data, attachments);
        if content.args.is_empty() {
            return content;
        }
        let (start, len) = content.args.remove(0);
        // A number is a name too, as in socket.io.
        let first = &content.data[start..start + len];
        content.name =
            serde_json::from_str::<String>(first).map_or_else(|_| first.into(), String::into_boxed_str);
        content
    }

    /// JSON text of the first item of a JSON array, `null` if it has none.
    pub(crate) fn first(data: &str) -> Box<str> {
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(data).unwrap_or_default();
        items.first().map_or("null", |item| item.get()).into()
    }

    /// The first arguments of the answers of several clients or nodes.
    pub(crate) fn of_answers(answers: Vec<(Box<str>, Vec<Bytes>)>) -> Self {
        let (mut data, mut attachments) = (String::from("["), Vec::new());
        for (i, (answer, buffers)) in answers.into_iter().enumerate() {
            data.push_str(if i > 0 { "," } else { "" });
            match attachments.len() {
                before if before > 0 && !buffers.is_empty() => data.push_str(&renumbered(&answer, before)),
                _ => data.push_str(&answer),
            }
            attachments.extend(buffers);
        }
        data.push(']');
        Self::answer(data.into(), attachments)
    }
}

/// Start and length of the JSON text of each item of an array; none if it is no array.
fn arguments(data: &str) -> Vec<(usize, usize)> {
    let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(data).unwrap_or_default();
    let start = data.as_ptr() as usize;
    items.iter().map(|item| (item.get().as_ptr() as usize - start, item.get().len())).collect()
}

/// JSON whose placeholders count from `first` on, because the attachments of earlier answers stand before its own.
fn renumbered(json: &str, first: usize) -> String {
    replace_placeholders(json, |num, out| {
        let _ = write!(out, r#"{{"_placeholder":true,"num":{}}}"#, num + first);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_each_answer_point_at_its_own_attachments() {
        let placeholder = |num: u64| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
        let answer = |n: u8| (placeholder(0).into(), vec![Bytes::from(vec![n])]);
        let content = Content::of_answers(vec![answer(1), ("null".into(), vec![]), answer(2)]);
        assert_eq!(&*content.data, format!("[{},null,{}]", placeholder(0), placeholder(1)));
        assert_eq!(content.attachments, [vec![1], vec![2]]);
    }

    #[test]
    fn answers_of_any_depth_point_at_their_own_attachments() {
        for depth in [1, 127, 128, 129, 511] {
            let nest = |num: u64| {
                let inner = format!(r#"{{"_placeholder":true,"num":{num}}}"#);
                format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
            };
            let answer = |byte: u8| (nest(0).into(), vec![Bytes::from(vec![byte])]);
            let content = Content::of_answers(vec![answer(1), answer(2)]);
            assert_eq!(&*content.data, format!("[{},{}]", nest(0), nest(1)), "{depth}");
            assert_eq!(content.attachments, [vec![1], vec![2]]);
        }
    }
}
