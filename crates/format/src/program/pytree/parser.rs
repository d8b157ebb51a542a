//! Parses JSON text into a tree. `_TreeSpecSchema` nests as deep as the tree, so open containers
//! are kept in a list. A deep tree therefore uses no more call stack than a flat one.

use super::cursor::JsonCursor;
use super::{MAX_DEPTH, MAX_NODES, TreeNode, TreeSpec};
use crate::program::json::{quote_words, repair_surrogates};
use serde_json::Value;
use std::collections::BTreeSet;

/// Parses the pair of protocol number and tree.
pub fn read(text: &str) -> Result<TreeSpec, String> {
    let text = repair_surrogates(text);
    let mut cursor = JsonCursor::new(&text);
    if !cursor.eat(b'[') {
        return Err(cursor.error("a list of a protocol number and a tree is expected"));
    }
    match cursor.value()? {
        (protocol, _) if protocol.trim() == "1" => {}
        (other, _) => return Err(format!("tree protocol {} is not known", shown(other))),
    }
    cursor.expect(b',')?;
    let mut parser = TreeParser { cursor, nodes: Vec::new(), open: Vec::new(), values: 0 };
    parser.tree()?;
    parser.cursor.expect(b']')?;
    match parser.cursor.peek() {
        None => Ok(TreeSpec { nodes: parser.nodes }),
        Some(_) => Err(parser.cursor.error("the end is expected")),
    }
}

struct TreeParser<'a> {
    cursor: JsonCursor<'a>,
    nodes: Vec<TreeNode>,
    open: Vec<OpenObject>,
    /// The number of nodes and of values in contexts.
    values: usize,
}

/// An object whose keys have not all been read.
#[derive(Default)]
struct OpenObject {
    node: usize,
    kind: bool,
    context: bool,
    /// True once the list of children has begun.
    children: bool,
    unknown: BTreeSet<String>,
}

impl TreeParser<'_> {
    fn tree(&mut self) -> Result<(), String> {
        self.enter()?;
        while let Some(open) = self.open.last_mut() {
            // After an object or a value comes the next key of this object, or its end.
            if self.cursor.eat(b'}') {
                self.leave()?;
                continue;
            }
            if open.kind || open.context || open.children || !open.unknown.is_empty() {
                self.cursor.expect(b',')?;
            }
            let key = self.cursor.string()?.into_owned();
            self.cursor.expect(b':')?;
            self.field(key)?;
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), String> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.cursor.error(&format!("the tree nests deeper than {MAX_DEPTH}")));
        }
        self.cursor.expect(b'{')?;
        self.count(1)?;
        self.open.push(OpenObject { node: self.nodes.len(), ..OpenObject::default() });
        self.nodes.push(TreeNode::default());
        Ok(())
    }

    /// Ends an object. It must be complete. The enclosing list continues or ends too.
    fn leave(&mut self) -> Result<(), String> {
        let Some(done) = self.open.pop() else { return Ok(()) };
        for (there, key) in [(done.kind, "type"), (done.context, "context"), (done.children, "children_spec")]
        {
            if !there {
                return Err(self.cursor.error(&format!("missing field `{key}`")));
            }
        }
        if self.nodes.get(done.node).is_some_and(|node| node.kind.is_none() && node.children > 0) {
            return Err(self.cursor.error("a leaf has children"));
        }
        if self.open.is_empty() {
            Ok(())
        } else if self.cursor.eat(b',') {
            self.child()
        } else {
            self.cursor.expect(b']')
        }
    }

    fn child(&mut self) -> Result<(), String> {
        let parent = self.open.last().and_then(|open| self.nodes.get_mut(open.node));
        parent.into_iter().for_each(|parent| parent.children += 1);
        self.enter()
    }

    fn field(&mut self, key: String) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let twice = match key.as_str() {
            "type" => std::mem::replace(&mut open.kind, true),
            "context" => std::mem::replace(&mut open.context, true),
            "children_spec" => std::mem::replace(&mut open.children, true),
            other => !open.unknown.insert(other.to_owned()),
        };
        if twice {
            return Err(self.cursor.error(&format!("the key `{key}` is given twice")));
        }
        let node = open.node;
        match key.as_str() {
            "type" => self.kind(node),
            "context" => self.context(node),
            "children_spec" => {
                self.cursor.expect(b'[')?;
                if self.cursor.eat(b']') { Ok(()) } else { self.child() }
            }
            _ => self.value().map(drop),
        }
    }

    fn kind(&mut self, node: usize) -> Result<(), String> {
        let kind = match self.cursor.peek() {
            Some(b'"') => Some(self.cursor.string()?.into_owned()),
            _ => match self.cursor.value()? {
                (text, _) if text.trim() == "null" => None,
                (other, _) => return Err(self.cursor.error(&format!("`{}` is no type", shown(other)))),
            },
        };
        if let Some(node) = self.nodes.get_mut(node) {
            node.kind = kind;
        }
        Ok(())
    }

    /// Parses a context, which is JSON or JSON inside a string. A string that is not JSON is kept
    /// as text, such as the name of a named tuple.
    fn context(&mut self, node: usize) -> Result<(), String> {
        let context = match self.value()? {
            Value::String(inner) => match JsonCursor::new(&inner).value() {
                Ok((_, values)) => {
                    self.count(values)?;
                    serde_json::from_str(&quote_words(&inner)).unwrap_or(Value::String(inner))
                }
                Err(_) => Value::String(inner),
            },
            other => other,
        };
        if let Some(node) = self.nodes.get_mut(node) {
            node.context = context;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        let (text, values) = self.cursor.value()?;
        self.count(values)?;
        serde_json::from_str(&quote_words(text)).map_err(|error| self.cursor.error(&error.to_string()))
    }

    /// Counts values before memory is allocated for them.
    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values += values;
        if self.values > MAX_NODES {
            Err(format!("the tree has more than {MAX_NODES} nodes and values"))
        } else {
            Ok(())
        }
    }
}

/// Shortens a value from the text for a message.
fn shown(text: &str) -> String {
    text.trim().chars().take(40).collect()
}
