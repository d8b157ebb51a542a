//! Every opcode in every state of the machine: a result, never a panic.

use crate::assemble::*;

/// Returns stacks before the opcode.
fn stacks() -> Vec<Vec<u8>> {
    let one = [
        b"N".to_vec(),
        int(3),
        text("x"),
        ints(&[1]),
        b"]".to_vec(),
        b"}".to_vec(),
        global("torch", "Size"),
        global("torch", "float32"),
        float_storage(),
        view(&[1], &[1], 0),
        b"(".to_vec(),
    ];
    let mut stacks = vec![Vec::new()];
    for first in &one {
        stacks.push(first.clone());
        for second in &one {
            stacks.push([first.clone(), second.clone()].concat());
            stacks.push([first.clone(), b"(".to_vec(), second.clone()].concat());
        }
    }
    stacks
}

/// Returns bytes after the opcode: none, too few, and the smallest and largest arguments.
fn arguments() -> Vec<Vec<u8>> {
    let mut arguments: Vec<Vec<u8>> = (0..9).map(|count| vec![0; count]).collect();
    arguments.extend((1..9).map(|count| vec![0xff; count]));
    arguments.extend([b"\n".to_vec(), b"\n\n".to_vec(), b"1\n".to_vec(), b"os\nsystem\n".to_vec()]);
    arguments.push([&[0xff; 8][..], &[b'a'; 32]].concat());
    arguments
}

#[test]
fn every_opcode_in_every_state_is_read_or_refused() {
    let (stacks, arguments) = (stacks(), arguments());
    let mut answered = 0;
    for opcode in 0..=u8::MAX {
        for stack in &stacks {
            let body = [stack.as_slice(), &[opcode]].concat();
            let _ = read_one(&body);
            answered += 1;
        }
        for argument in &arguments {
            for stop in [&b""[..], b"."] {
                let bytes = [b"\x80\x02", &[opcode][..], argument, stop].concat();
                let _ = read(&bytes);
                answered += 1;
            }
        }
    }
    assert_eq!(answered, 256 * (stacks.len() + 2 * arguments.len()));
}

#[test]
fn refused_opcodes_are_named_with_their_place() {
    for (opcode, name) in [
        (b'i', "INST"),
        (b'o', "OBJ"),
        (0x81, "NEWOBJ"),
        (0x92, "NEWOBJ_EX"),
        (0x93, "STACK_GLOBAL"),
        (0x82, "EXT1"),
        (b'P', "PERSID"),
        (b'I', "INT"),
        (b'L', "LONG"),
        (0x8b, "LONG4"),
        (0x8e, "BINBYTES8"),
        (b'2', "DUP"),
        (b'0', "POP"),
        (0x95, "FRAME"),
        (0xff, "0xff"),
    ] {
        let message = refusal(&[b'N', opcode]);
        assert!(message.contains(&format!("byte 3, {name}:")), "{message}");
    }
}

#[test]
fn prefixes_of_a_sound_pickle_are_refused() {
    let sound = pickle(&view(&[6], &[1], 0));
    for len in 0..sound.len() {
        assert!(pt2_format::weights::pickle::read_tensor(&saved(&sound[..len])).is_err(), "{len} bytes");
    }
}

#[test]
fn bytes_before_and_after_are_refused() {
    let sound = pickle(&view(&[6], &[1], 0));
    for bytes in [[&sound[..], b"N"].concat(), [b"N", &sound[..]].concat(), [b"N".to_vec(), sound].concat()] {
        assert!(pt2_format::weights::pickle::read_tensor(&saved(&bytes)).is_err());
    }
    assert!(refusal(b"NN").contains("left on the stack"));
    assert!(refusal(b"(N").contains("left on the stack"));
    assert!(refusal(b"\x80\x02N").contains("PROTO"));
    assert!(read(b"\x80\x01N.").unwrap_err().to_string().contains("protocol 1"));
}

#[test]
fn integers_have_eight_bytes_and_a_sign() {
    for (opcodes, value) in [
        (&b"\x8a\x00"[..], 0),
        (b"\x8a\x01\xff", -1),
        (b"\x8a\x02\xff\x00", 255),
        (b"\x8a\x01\x02", 2),
        (b"J\xff\xff\xff\xff", -1),
        (b"K\xff", 255),
        (b"M\xff\xff", 65535),
    ] {
        let body = reduce(
            global("torch._utils", "_rebuild_tensor"),
            &[float_storage(), opcodes.to_vec(), ints(&[0]), ints(&[1])],
        );
        match read_one(&body) {
            Ok(tensor) => assert_eq!(tensor.offset, value),
            Err(error) => assert!(value < 0, "{error}"),
        }
    }
    assert!(refusal(b"\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01").contains("9 bytes"));
}
