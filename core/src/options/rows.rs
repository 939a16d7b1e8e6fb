//! What a row of a table of options says, and `options!`, by which tables are written. A table makes the struct of the
//! parsed values, how it is read, and a list of [`OptionSpec`]; from the lists `make generated` writes TypeScript's types
//! and the tables of the documentation.

/// What an option accepts. Complete: whoever reads the table has to know them all.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool(bool),
    /// Milliseconds: least, most, default.
    Millis(u64, u64, u64),
    /// Bytes: least, most, default.
    Bytes(u64, u64, u64),
    /// A plain count: least, most, default.
    Count(u64, u64, u64),
    /// Text with a default; an empty default means none.
    Text(&'static str),
    /// One of these words, the first is the default.
    Word(&'static [&'static str]),
    /// A list of these words; all of them are the default.
    Words(&'static [&'static str]),
    /// `true`, `false` or an object with a `threshold` in bytes; default on/off and threshold.
    Compression(bool, u64),
    /// A structure with a parser of its own; the text says what it accepts.
    Shape(&'static str),
}

/// Who had an option first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// socket.io or engine.io has it.
    SocketIo,
    /// Only this library has it.
    Ours,
}

/// Where `bindNative` takes an option from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bridge {
    /// From the options of engine.io, where it means the same.
    Engine,
    /// It is one of `bindNative`'s own.
    Own,
    /// Nowhere: it has its default.
    Absent,
}

/// One option.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Public name.
    pub name: &'static str,
    /// Accepted values and default.
    pub kind: Kind,
    /// What it is for.
    pub doc: &'static str,
    /// Who had it first.
    pub source: Source,
    /// Where `bindNative` takes it from.
    pub bridge: Bridge,
    /// It has no default: who gives the object has to give it.
    pub required: bool,
    /// The members of an option that is an object with a table of its own.
    pub members: &'static [OptionSpec],
    /// The page with the table of these members, between the markers `<!-- NAME -->` and `<!-- /NAME -->`.
    pub page: &'static str,
    /// The default as the documentation has it, where the kind does not say it.
    pub default: &'static str,
    /// The accepted values as the documentation has them, where the kind does not say them.
    pub range: &'static str,
    /// What the documentation says beyond `doc`.
    pub more: &'static str,
    /// The hosts that can set it, if these are not all.
    pub hosts: &'static str,
    /// Its type in TypeScript, where the kind does not say it.
    pub typescript: &'static str,
    /// What TypeScript's comment says beyond `doc`.
    pub node: &'static str,
    /// The interface of TypeScript that has this member of a nested table, if it is not that of the table.
    pub part: &'static str,
}

impl OptionSpec {
    /// What a row need not say.
    pub(crate) const BLANK: OptionSpec = OptionSpec {
        name: "",
        kind: Kind::Bool(false),
        doc: "",
        source: Source::Ours,
        bridge: Bridge::Absent,
        required: false,
        members: &[],
        page: "",
        default: "",
        range: "",
        more: "",
        hosts: "",
        typescript: "",
        node: "",
        part: "",
    };
}

/// The kind of a row. A word stands with the value that it means.
macro_rules! kind {
    (Word($($word:literal = $value:path),+)) => { $crate::options::Kind::Word(&[$($word),+]) };
    ($kind:ident($($arg:expr),+)) => { $crate::options::Kind::$kind($($arg),+) };
}

/// The value of a row: by the parser that it names, or by its type.
macro_rules! read {
    ($given:ident, $name:literal, Word($($word:literal = $value:path),+),) => {
        $given.word($name, &[$(($word, $value)),+])?
    };
    ($given:ident, $name:literal, $kind:ident $args:tt,) => { $crate::options::given::Plain::read($given, $name)? };
    ($given:ident, $name:literal, $kind:ident $args:tt, $parser:ident) => { $parser($given)? };
}

/// A table without a struct: `"name", Kind(…), [Source, Bridge], "what it is for", { note: … };`
macro_rules! rows {
    ($(
        $name:literal, $kind:ident $args:tt, $([$source:ident, $bridge:ident],)? $about:literal
        $(, { $($note:ident: $text:expr),+ })?;
    )*) => {
        &[$($crate::options::OptionSpec {
            name: $name,
            kind: kind!($kind $args),
            doc: $about,
            $(source: $crate::options::Source::$source, bridge: $crate::options::Bridge::$bridge,)?
            $($($note: $text,)+)?
            ..$crate::options::OptionSpec::BLANK
        }),*]
    };
}

/// A table and the struct of its values. A row is `field: Type = "name", Kind(…), [Source, Bridge], "what it is for",
/// { note: … };`. The brackets (by default `[Ours, Absent]`) and the notes may be left out; notes are fields of
/// [`OptionSpec`]. A kind that its type does not read has `by parser` behind it. `beside` holds fields that are no options
/// and their values, `fieldless` options that are not kept.
macro_rules! options {
    (
        $(#[$attribute:meta])*
        struct $options:ident, $(#[$about_table:meta])* table $table:ident {$(
            $field:ident: $ty:ty = $name:literal, $kind:ident $args:tt $(by $parser:ident)?,
            $([$source:ident, $bridge:ident],)? $about:literal $(, { $($note:ident: $text:expr),+ })?;
        )+}
        fieldless { $($fieldless:tt)* }
        beside {$(
            $(#[doc = $beside_about:literal])+ $beside:ident: $beside_ty:ty = $value:expr;
        )*}
    ) => {
        $(#[$attribute])*
        pub struct $options {
            $(#[doc = $about] pub $field: $ty,)+
            $($(#[doc = $beside_about])+ pub $beside: $beside_ty,)*
        }

        impl $options {
            /// Reads each option of the table.
            fn read(given: &$crate::options::given::Given<'_>) -> $crate::types::error::Result<Self> {
                Ok(Self {
                    $($field: read!(given, $name, $kind $args, $($parser)?),)+
                    $($beside: $value,)*
                })
            }
        }

        $(#[$about_table])*
        pub const $table: &[$crate::options::OptionSpec] = rows! {
            $($name, $kind $args, $([$source, $bridge],)? $about $(, { $($note: $text),+ })?;)+
            $($fieldless)*
        };
    };
}

pub(crate) use {kind, options, read, rows};
