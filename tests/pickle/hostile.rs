//! Hostile pickles: code, memory, deep nesting, endless work.

use crate::assemble::*;
use proptest::prelude::*;
use pt2_format::weights::pickle::{read_tensor, read_tensors};

#[test]
fn names_that_run_code_are_refused_by_name() {
    for (module, name) in [
        ("posix", "system"),
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.jit._serialization", "load"),
        ("torch._utils", "_rebuild_wrapper_subclass"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._tensor", "_rebuild_from_type"),
        ("torch", "load"),
        ("torch", "float32.__class__"),
        ("collections", "namedtuple"),
        ("collections.OrderedDict", "__reduce__"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("codecs", "encode"),
        ("", ""),
    ] {
        let body = reduce(global(module, name), &[text("touch /tmp/x")]);
        let message = refusal(&body);
        assert!(message.contains(&format!("`{module}.{name}`")), "{message}");
    }
}

#[test]
fn names_in_messages_are_short_and_printable() {
    let message = refusal(&global(&"é".repeat(100_000), "\u{1b}[31m"));
    assert!(message.len() < 600 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn items_are_set_on_nothing_but_dictionaries_and_lists() {
    for target in [view(&[1], &[1], 0), float_storage(), ints(&[1]), text("x"), b"]".to_vec()] {
        refusal(&[target.clone(), text("k"), int(1), b"s".to_vec()].concat());
        refusal(&[target, b"(".to_vec(), text("k"), int(1), b"u".to_vec()].concat());
    }
    for target in [view(&[1], &[1], 0), b"}".to_vec(), int(1)] {
        refusal(&[target.clone(), int(1), b"a".to_vec()].concat());
        refusal(&[target, b"(".to_vec(), int(1), b"e".to_vec()].concat());
    }
    for target in [view(&[1], &[1], 0), global("torch", "Tensor"), b"]".to_vec()] {
        refusal(&[target, b"}b".to_vec()].concat());
    }
}

#[test]
fn a_mark_hides_the_items_below_it() {
    refusal(&[view(&[1], &[1], 0), b"(\x85".to_vec()].concat());
    refusal(&[b"}".to_vec(), text("k"), b"(".to_vec(), int(1), b"s".to_vec()].concat());
    refusal(&[global("torch", "Size"), b"()R".to_vec()].concat());
}

#[test]
fn announced_lengths_are_compared_before_anything_is_allocated() {
    for body in [
        &b"X\xff\xff\xff\xffab"[..],
        b"\x8a\xff\x01",
        b"r\xff\xff\xff\xff",
        b"Nr\xff\xff\xff\xff",
        b"j\xff\xff\xff\xff",
    ] {
        refusal(body);
    }
}

#[test]
fn deep_nesting_needs_no_deep_stack() {
    const DEEP: usize = 1 << 20;
    let bodies = [
        [b")".to_vec(), vec![0x85; DEEP]].concat(),
        [vec![b'('; DEEP], vec![b't'; DEEP]].concat(),
        [b"]".repeat(DEEP), b"a".repeat(DEEP - 1)].concat(),
        b"]q\x00".iter().copied().chain(b"h\x00a".repeat(DEEP)).collect(),
    ];
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let run = move || bodies.iter().for_each(|body| assert!(read_one(body).is_err()));
    small.spawn(run).unwrap().join().unwrap();
}

#[test]
fn work_does_not_grow_with_the_square_of_the_file() {
    let long = [ints(&vec![1; 20_000]), b"q\x00".to_vec()].concat();
    let long_again = || b"h\x00".to_vec();
    let arguments = [float_storage(), int(0), long_again(), long_again()];
    let body = [long, reduce(global("torch._utils", "_rebuild_tensor"), &arguments)].concat();
    assert!(refusal(&body).contains("dimensions"));
    let flags = [b"}(".to_vec(), [text("x"), no()].concat().repeat(20_000), b"uq\x00".to_vec()].concat();
    let arguments = [float_storage(), int(0), ints(&[1]), ints(&[1]), no(), hooks(), b"h\x00".to_vec()];
    let body = [flags, reduce(global("torch._utils", "_rebuild_tensor_v2"), &arguments)].concat();
    assert!(refusal(&body).contains("flags"));
}

#[test]
fn files_that_torch_save_did_not_write_are_refused() {
    let pickle = pickle(&view(&[6], &[1], 0));
    let bytes = [0u8; 24];
    for (entries, named) in [
        (vec![], "no data.pkl"),
        (vec![("data.pkl", &pickle[..])], "no data.pkl"),
        (vec![("a/b/data.pkl", &pickle[..])], "no data.pkl"),
        (vec![("a/data.pkl", &pickle[..]), ("b/data.pkl", &pickle[..])], "more than one"),
        (vec![("a/data.pkl", &pickle[..])], "a/data/0"),
        (vec![("a/data.pkl", &pickle[..]), ("b/data/0", &bytes)], "a/data/0"),
        (vec![("a/data.pkl", &pickle[..]), ("a/byteorder", b"big"), ("a/data/0", &bytes)], "byte order"),
        (vec![("a/data.pkl", &pickle[..]), ("a/data/0", &bytes[..23])], "23 bytes"),
    ] {
        let message = read_tensor(&container(&entries)).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_tensors(&saved(&bytes));
        let _ = read_one(&bytes);
    }

    #[test]
    fn any_change_to_a_valid_pickle_is_read_or_refused(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = pickle(&[b"}".to_vec(), text("w"), view(&[3, 2], &[1, 3], 0), b"s".to_vec()].concat());
        let index = place.index(bytes.len());
        if cut { bytes.remove(index); } else { bytes[index] = byte; }
        for tensor in read_tensors(&saved(&bytes)).unwrap_or_default() {
            let item = tensor.dtype.size_in_bytes() as i64;
            let last: i64 = tensor.sizes.iter().zip(&tensor.strides).map(|(size, stride)| (size - 1) * stride).sum();
            prop_assert!(tensor.sizes.contains(&0) || (tensor.offset + last + 1) * item <= 24);
        }
    }
}
