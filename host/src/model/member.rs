//! Members of JSON, named by paths such as `$.customer.id` or `$.items[0].sku`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Where a member stands in a JSON text: `$.member.member`, with places in
/// arrays behind a name (`$.items[0].sku`). Plain enough to mean the same
/// everywhere, in the host as in every database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberPath(String);

/// A text is not a [`MemberPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path {0:?} is not of the form $.member.member")]
pub struct InvalidPath(String);

/// The longest path, in bytes.
const MOST_PATH_BYTES: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Member(&'a str),
    Place(usize),
}

impl MemberPath {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// When it is longer than 200 bytes or of another form.
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let sound = path.len() <= MOST_PATH_BYTES && steps(path).is_some();
        match sound {
            true => Ok(Self(path.to_owned())),
            false => Err(InvalidPath(path.chars().take(60).collect())),
        }
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MemberPath {
    type Error = InvalidPath;

    fn try_from(path: String) -> Result<Self, InvalidPath> {
        Self::parse(&path)
    }
}

impl From<MemberPath> for String {
    fn from(path: MemberPath) -> Self {
        path.0
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for step in path.strip_prefix("$.")?.split('.') {
        let (name, mut places) = step.split_at(step.find('[').unwrap_or(step.len()));
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || !name.bytes().all(is_plain) {
            return None;
        }
        steps.push(Step::Member(name));
        while !places.is_empty() {
            let (place, rest) = places.strip_prefix('[')?.split_once(']')?;
            // A number alone would be let through with a sign.
            let is_number = place.bytes().all(|b| b.is_ascii_digit());
            steps.push(Step::Place(place.parse().ok().filter(|_| is_number)?));
            places = rest;
        }
    }
    Some(steps)
}

/// A value that is neither an object nor an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a fraction, of 64 bits with a sign.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text; borrowed unless it has escapes.
    Text(Cow<'a, str>),
}

/// Reads the values at several paths out of one JSON text, in one pass that
/// builds nothing else.
#[derive(Debug, Clone, Default)]
pub struct Members {
    paths: usize,
    root: Node,
}

/// What is looked for at one place of the text.
#[derive(Debug, Clone, Default)]
struct Node {
    /// The paths that end here.
    wanted: Vec<usize>,
    members: Vec<(String, Node)>,
    places: Vec<(usize, Node)>,
}

impl Members {
    /// Makes ready to look for these paths.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a MemberPath>) -> Self {
        let mut members = Self::default();
        for path in paths {
            // Checked when the path was made.
            let steps = steps(&path.0).unwrap_or_default();
            let node = steps.into_iter().fold(&mut members.root, Node::child);
            node.wanted.push(members.paths);
            members.paths += 1;
        }
        members
    }

    /// For each path, in order, the value that stands there, or `None` where there
    /// is nothing, an object or an array. Where a member occurs twice, the first
    /// counts. `None` for all when the text is not JSON.
    pub fn read<'a>(&self, json: &'a str) -> Option<Vec<Option<Scalar<'a>>>> {
        let mut found = vec![None; self.paths];
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let seed = Look {
            node: &self.root,
            found: &mut found,
        };
        let read = seed
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        read.is_ok().then_some(found)
    }
}

impl Node {
    fn child(&mut self, step: Step<'_>) -> &mut Node {
        match step {
            Step::Member(name) => child(&mut self.members, |it| it == name, || name.to_owned()),
            Step::Place(place) => child(&mut self.places, |it| *it == place, || place),
        }
    }
}

fn child<K>(
    children: &mut Vec<(K, Node)>,
    is_it: impl Fn(&K) -> bool,
    key: impl FnOnce() -> K,
) -> &mut Node {
    let at = children.iter().position(|(key, _)| is_it(key));
    let at = at.unwrap_or_else(|| {
        children.push((key(), Node::default()));
        children.len() - 1
    });
    &mut children[at].1
}

/// Looks for what is wanted in the value that comes next.
struct Look<'n, 'f, 'de> {
    node: &'n Node,
    found: &'f mut [Option<Scalar<'de>>],
}

impl<'de> Look<'_, '_, 'de> {
    fn take(self, value: Scalar<'de>) {
        let (last, others) = match self.node.wanted.split_last() {
            Some(wanted) => wanted,
            None => return,
        };
        for &at in others {
            self.found[at].get_or_insert_with(|| value.clone());
        }
        self.found[*last].get_or_insert(value);
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.take(Scalar::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.take(Scalar::Bool(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.take(Scalar::Integer(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let integer = i64::try_from(value).map(Scalar::Integer);
        self.take(integer.unwrap_or(Scalar::Float(value as f64)));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.take(Scalar::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.take(Scalar::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(Scalar::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let members = &self.node.members;
        while let Some(at) = map.next_key_seed(Key(members))? {
            match at {
                Some(at) => map.next_value_seed(Look {
                    node: &members[at].1,
                    found: &mut *self.found,
                })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for place in 0.. {
            let node = self.node.places.iter().find(|(wanted, _)| *wanted == place);
            let more = match node {
                Some((_, node)) => seq
                    .next_element_seed(Look {
                        node,
                        found: &mut *self.found,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// Which of the members looked for a name is, without a copy of it.
struct Key<'n>(&'n [(String, Node)]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|(wanted, _)| wanted == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(paths: &[&str], json: &'a str) -> Option<Vec<Option<Scalar<'a>>>> {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| MemberPath::parse(path).unwrap())
            .collect();
        Members::new(&paths).read(json)
    }

    #[test]
    fn values_are_found_in_one_pass_whatever_stands_between() {
        let json = r#"{"skip": {"id": 1, "deep": [[{"id": 2}]]}, "order": {"id": "o-1", "n": -7},
                       "items": [{"sku": "a"}, {"sku": "b\n"}], "no": null, "yes": true,
                       "f": 1.5, "big": 18446744073709551615}"#;
        let paths = [
            "$.order.id",
            "$.order.n",
            "$.items[1].sku",
            "$.no",
            "$.yes",
            "$.f",
            "$.big",
            "$.order.id",
        ];
        let text = |text: &'static str| Some(Scalar::Text(text.into()));
        let expected = vec![
            text("o-1"),
            Some(Scalar::Integer(-7)),
            text("b\n"),
            Some(Scalar::Null),
            Some(Scalar::Bool(true)),
            Some(Scalar::Float(1.5)),
            Some(Scalar::Float(18446744073709551615.0)),
            text("o-1"),
        ];
        assert_eq!(read(&paths, json), Some(expected));
    }

    #[test]
    fn what_is_missing_or_no_scalar_is_not_found() {
        let paths = ["$.a", "$.b", "$.c.d", "$.e[2]"];
        let json = r#"{"a": {"x": 1}, "b": [1], "c": "text", "e": [1, 2]}"#;
        assert_eq!(read(&paths, json), Some(vec![None; 4]));
        assert_eq!(read(&paths, "[1]"), Some(vec![None; 4]));
        assert_eq!(read(&paths, "12"), Some(vec![None; 4]));
        for broken in ["", "{", r#"{"a": 1} x"#, r#"{"a": 1, "z": [}"#] {
            assert_eq!(read(&paths, broken), None, "{broken}");
        }
    }

    #[test]
    fn the_first_of_two_members_counts() {
        let found = read(&["$.a"], r#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(found, [Some(Scalar::Integer(1))]);
    }

    #[test]
    fn a_plain_text_is_not_copied() {
        let found = read(&["$.a"], r#"{"a": "plain"}"#).unwrap();
        assert!(matches!(
            &found[0],
            Some(Scalar::Text(Cow::Borrowed("plain")))
        ));
    }

    #[test]
    fn paths_are_checked() {
        for sound in ["$.a", "$.a.b_2", "$.a[0]", "$.a[0][12].b"] {
            assert_eq!(MemberPath::parse(sound).unwrap().as_str(), sound);
        }
        let long = format!("$.{}", "a".repeat(200));
        let huge = "$.a[99999999999999999999999]";
        for broken in [
            "", "$", "$.", "a", "$a", "$.a.", "$.a'b", "$.a[", "$.a[]", "$.a[x]", "$.a[+1]",
            "$.a[0]b", "$.[0]", "$.a]", "$.ä", huge, &long,
        ] {
            let error = MemberPath::parse(broken).unwrap_err().to_string();
            assert!(error.contains("not of the form"), "{error}");
        }
        assert!(serde_json::from_str::<MemberPath>(r#""a b""#).is_err());
    }
}
