//! Stack machine for pickles, limited to the opcodes that `torch.save` writes.

use super::globals::Global;
use super::pickle_bytes::{PickleBytes, opcode_name};
use super::rebuild::{call, persistent};
use super::stack::Stack;
use super::value::{Heap, MemoryBudget, PickleValue};

/// Runs a pickle to its end. Returns the tables and the top value, or an error that names the
/// position and the opcode.
pub fn run(code: &mut PickleBytes<'_>, budget: MemoryBudget) -> Result<(Heap, PickleValue), String> {
    let mut machine = PickleMachine { heap: Heap::new(budget), stack: Stack::default(), memo: Vec::new() };
    loop {
        let at = code.at();
        let opcode = code.byte().map_err(|_| format!("byte {at}: the pickle has no STOP"))?;
        let step = if opcode == STOP {
            machine.stack.only().map(Some)
        } else {
            machine.step(opcode, code).map(|()| None)
        };
        match step {
            Ok(None) => {}
            Ok(Some(top)) => return Ok((machine.heap, top)),
            Err(reason) => {
                let name = opcode_name(opcode).map_or_else(|| format!("0x{opcode:02x}"), str::to_owned);
                return Err(format!("byte {at}, {name}: {reason}"));
            }
        }
    }
}

const STOP: u8 = b'.';

struct PickleMachine {
    heap: Heap,
    stack: Stack,
    memo: Vec<PickleValue>,
}

impl PickleMachine {
    fn step(&mut self, opcode: u8, code: &mut PickleBytes<'_>) -> Result<(), String> {
        if (opcode == 0x80) != (code.at() == 1) {
            return Err("a pickle starts with PROTO and has no other".into());
        }
        match opcode {
            0x80 => protocol(code.byte()?),
            b'(' => self.stack.mark(self.heap.budget()),
            b')' => self.push_tuple(0),
            0x85 => self.push_tuple(1),
            0x86 => self.push_tuple(2),
            0x87 => self.push_tuple(3),
            b't' => self.stack.unmark().and_then(|count| self.push_tuple(count)),
            b'a' => self.append(1),
            b'e' => self.stack.unmark().and_then(|count| self.append(count)),
            b's' => self.set(2),
            b'u' => self.stack.unmark().and_then(|count| self.set(count)),
            b'R' => self.reduce(code),
            b'b' => self.build(),
            b'Q' => self.persistent(code),
            b'q' => code.byte().and_then(|row| self.memorise(row.into())),
            b'r' => code.array().and_then(|row| self.memorise(u32::from_le_bytes(row))),
            b'h' => code.byte().and_then(|row| self.recall(row.into())),
            b'j' => code.array().and_then(|row| self.recall(u32::from_le_bytes(row))),
            _ => self.constant(opcode, code).and_then(|value| self.push(value)),
        }
    }

    /// Executes an opcode that pushes a value and does not read the stack.
    fn constant(&mut self, opcode: u8, code: &mut PickleBytes<'_>) -> Result<PickleValue, String> {
        Ok(match opcode {
            b'N' => PickleValue::None,
            0x88 => PickleValue::Bool(true),
            0x89 => PickleValue::Bool(false),
            b'K' => PickleValue::Int(code.byte()?.into()),
            b'M' => PickleValue::Int(u16::from_le_bytes(code.array()?).into()),
            b'J' => PickleValue::Int(i32::from_le_bytes(code.array()?).into()),
            0x8a => long(code)?,
            b'G' => code.array::<8>().map(|_| PickleValue::Float)?,
            b'X' => text(code)?,
            b'c' => PickleValue::Global(Global::find(code.line()?, code.line()?)?),
            b']' => self.heap.list()?,
            b'}' => self.heap.dict()?,
            _ => return Err("torch.save writes no such opcode for tensors".into()),
        })
    }

    fn push(&mut self, value: PickleValue) -> Result<(), String> {
        self.stack.push(value, self.heap.budget())
    }

    fn push_tuple(&mut self, count: usize) -> Result<(), String> {
        let items = self.stack.last(count)?;
        let tuple = self.heap.tuple(items)?;
        self.stack.remove(count);
        self.push(tuple)
    }

    /// Moves the last `count` values into the list below them.
    fn append(&mut self, count: usize) -> Result<(), String> {
        let list = self.stack.below(count)?;
        for item in self.stack.last(count)? {
            self.heap.append(list, *item)?;
        }
        self.stack.remove(count);
        Ok(())
    }

    /// Moves the last `count` values, alternating keys and items, into the dictionary below them.
    fn set(&mut self, count: usize) -> Result<(), String> {
        let dict = self.stack.below(count)?;
        let (pairs, rest) = self.stack.last(count)?.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("a key has no item".into());
        }
        for [key, item] in pairs {
            self.heap.set(dict, *key, *item)?;
        }
        self.stack.remove(count);
        Ok(())
    }

    fn reduce(&mut self, code: &PickleBytes<'_>) -> Result<(), String> {
        let (arguments, callable) = (self.stack.pop()?, self.stack.pop()?);
        let value = call(&mut self.heap, code, callable, arguments)?;
        self.push(value)
    }

    /// Drops attributes of a dictionary, such as a state dict's `_metadata`. Tensors do not depend
    /// on them.
    fn build(&mut self) -> Result<(), String> {
        self.stack.pop()?;
        match self.stack.top()? {
            PickleValue::Dict(_) => Ok(()),
            other => Err(format!("{} takes no attributes", other.kind())),
        }
    }

    fn persistent(&mut self, code: &PickleBytes<'_>) -> Result<(), String> {
        let id = self.stack.pop()?;
        let storage = persistent(&mut self.heap, code, id)?;
        self.push(storage)
    }

    /// Stores the top value in the memo. Writers number the memo without gaps, so a row beyond the
    /// end is an error and cannot make the memo allocate memory.
    fn memorise(&mut self, row: u32) -> Result<(), String> {
        let (value, row, rows) = (self.stack.top()?, row as usize, self.memo.len());
        match self.memo.get_mut(row) {
            Some(slot) => *slot = value,
            None if row == rows => self.heap.budget().push(&mut self.memo, value)?,
            None => return Err(format!("row {row} of a memo of {rows} rows")),
        }
        Ok(())
    }

    fn recall(&mut self, row: u32) -> Result<(), String> {
        let value = self.memo.get(row as usize).copied();
        self.push(value.ok_or_else(|| format!("row {row} of a memo of {} rows", self.memo.len()))?)
    }
}

fn protocol(version: u8) -> Result<(), String> {
    match version {
        2..=5 => Ok(()),
        other => Err(format!("pickle protocol {other} is not one torch.save uses")),
    }
}

/// Reads a little-endian two's complement integer of up to eight bytes.
fn long(code: &mut PickleBytes<'_>) -> Result<PickleValue, String> {
    let len = code.byte()?;
    let piece = code.take(len.into())?;
    let bytes = code.bytes(piece);
    if bytes.len() > size_of::<i64>() {
        return Err(format!("an integer of {len} bytes"));
    }
    let start = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    Ok(PickleValue::Int(bytes.iter().rev().fold(start, |number, byte| (number << 8) | i64::from(*byte))))
}

fn text(code: &mut PickleBytes<'_>) -> Result<PickleValue, String> {
    let len = u32::from_le_bytes(code.array()?);
    let piece = code.take(len as usize)?;
    code.text(piece)?;
    Ok(PickleValue::Text(piece))
}
