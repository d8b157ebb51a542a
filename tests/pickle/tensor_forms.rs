//! Each form in which `torch.save` writes a tensor, and each invalid variant.

use crate::assemble::*;
use pt2_format::program::schema::ScalarType;

fn utils(name: &str) -> Vec<u8> {
    global("torch._utils", name)
}

#[test]
fn a_view_of_a_typed_storage() {
    let tensor = read_one(&view(&[3, 2], &[1, 3], 0)).unwrap();
    assert_eq!((tensor.dtype, tensor.offset, tensor.requires_grad), (ScalarType::Float, 0, false));
    assert_eq!((tensor.sizes, tensor.strides), (vec![3, 2], vec![1, 3]));
    assert_eq!(tensor.storage.bytes().len(), 24);
}

#[test]
fn the_first_form_has_no_gradient() {
    let body = reduce(utils("_rebuild_tensor"), &[float_storage(), int(2), ints(&[4]), ints(&[1])]);
    assert_eq!(read_one(&body).unwrap().offset, 2);
}

#[test]
fn an_untyped_storage_has_a_dtype() {
    for module in ["torch", "torch.storage"] {
        let storage = storage(module, "UntypedStorage", 24);
        let dtype = global("torch", "uint16");
        let body = reduce(
            utils("_rebuild_tensor_v3"),
            &[storage, int(0), ints(&[12]), ints(&[1]), no(), hooks(), dtype],
        );
        assert_eq!(read_one(&body).unwrap().dtype, ScalarType::UInt16);
    }
}

#[test]
fn parameters_and_attributes_are_seen_through() {
    let state = [b"}".to_vec(), text("note"), text("kept nowhere"), b"s".to_vec()].concat();
    let yes = b"\x88".to_vec();
    let parameter = reduce(utils("_rebuild_parameter"), &[view(&[6], &[1], 0), yes.clone(), hooks()]);
    assert!(read_one(&parameter).unwrap().requires_grad);
    let arguments = [view(&[6], &[1], 0), yes, hooks(), state.clone()];
    assert!(read_one(&reduce(utils("_rebuild_parameter_with_state"), &arguments)).unwrap().requires_grad);
    let inner = tuple(&[float_storage(), int(0), ints(&[6]), ints(&[1]), no(), hooks()]);
    let arguments = [utils("_rebuild_tensor_v2"), global("torch", "Tensor"), inner, state];
    let body = reduce(global("torch._tensor", "_rebuild_from_type_v2"), &arguments);
    assert_eq!(read_one(&body).unwrap().sizes, [6]);
}

#[test]
fn a_state_dict_with_metadata_keeps_its_order() {
    let body = [
        hooks(),
        b"(".to_vec(),
        text("b"),
        view(&[6], &[1], 0),
        text("a"),
        view(&[2], &[1], 4),
        b"u}".to_vec(),
        text("_metadata"),
        hooks(),
        b"sb".to_vec(),
    ];
    let tensors = read(&pickle(&body.concat())).unwrap();
    assert_eq!(tensors.iter().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn sizes_may_be_a_torch_size_and_the_memo_works() {
    let size = reduce(global("torch", "Size"), &[ints(&[2])]);
    let memo = b"q\x00h\x00\x86".to_vec();
    let arguments = [float_storage(), int(0), size, ints(&[1]), no(), hooks()];
    assert_eq!(read_one(&reduce(utils("_rebuild_tensor_v2"), &arguments)).unwrap().sizes, [2]);
    assert!(refusal(&[int(7), memo].concat()).contains("a tuple, not a tensor"));
}

#[test]
fn views_outside_their_storage_are_refused() {
    for (sizes, strides, offset) in [
        (&[7][..], &[1][..], 0),
        (&[6], &[1], 1),
        (&[2, 2], &[1, 6], 0),
        (&[-1], &[1], 0),
        (&[1], &[-1], 0),
        (&[1], &[1], -1),
        (&[1], &[1], i64::MAX),
        (&[i64::MAX, i64::MAX], &[0, 0], 0),
        (&[1, 1], &[1], 0),
        (&[1; 65], &[1; 65], 0),
    ] {
        refusal(&view(sizes, strides, offset));
    }
    for (sizes, strides) in [(&[0][..], &[1][..]), (&[1000, 6], &[0, 1]), (&[], &[])] {
        read_one(&view(sizes, strides, 0)).unwrap();
    }
}

#[test]
fn wrong_storage_metadata_is_refused() {
    for count in [5, 7, -1, 0, i64::MAX, i64::MIN] {
        let arguments =
            [storage("torch", "FloatStorage", count), int(0), ints(&[1]), ints(&[1]), no(), hooks()];
        refusal(&reduce(utils("_rebuild_tensor_v2"), &arguments));
    }
    let id = |items: &[Vec<u8>]| [tuple(items), b"Q".to_vec()].concat();
    let float = || global("torch", "FloatStorage");
    for bad in [
        id(&[]),
        id(&[text("module"), float(), text("0"), text("cpu"), int(6)]),
        id(&[text("storage"), text("torch.FloatStorage"), text("0"), text("cpu"), int(6)]),
        id(&[text("storage"), global("torch", "float32"), text("0"), text("cpu"), int(6)]),
        id(&[text("storage"), float(), int(0), text("cpu"), int(6)]),
        id(&[text("storage"), float(), text("1"), text("cpu"), int(6)]),
        id(&[text("storage"), float(), text("../data.pkl"), text("cpu"), int(6)]),
        [text("0"), b"Q".to_vec()].concat(),
    ] {
        refusal(&reduce(utils("_rebuild_tensor_v2"), &[bad, int(0), ints(&[1]), ints(&[1]), no(), hooks()]));
    }
}

#[test]
fn calls_with_other_arguments_are_refused() {
    let untyped = || storage("torch", "UntypedStorage", 24);
    let dtype = || global("torch", "float32");
    let flag = |name| [b"}".to_vec(), text(name), b"\x88s".to_vec()].concat();
    let full_hooks = || [hooks(), text("h"), int(1), b"s".to_vec()].concat();
    let v2 = |items: &[Vec<u8>]| reduce(utils("_rebuild_tensor_v2"), items);
    let v3 = |items: &[Vec<u8>]| reduce(utils("_rebuild_tensor_v3"), items);
    let (one, zero) = (|| ints(&[1]), || int(0));
    for (body, named) in [
        (v2(&[]), "RebuildTensorV2"),
        (v2(&[untyped(), zero(), one(), one(), no(), hooks()]), "dtype"),
        (v2(&[float_storage(), zero(), one(), one(), no(), full_hooks()]), "hooks"),
        (v2(&[float_storage(), zero(), one(), one(), no(), hooks(), flag("conj")]), "conj"),
        (v2(&[float_storage(), zero(), one(), one(), no(), hooks(), int(1)]), "metadata"),
        (v2(&[float_storage(), zero(), tuple(&[text("1")]), one(), no(), hooks()]), "sizes"),
        (v2(&[text("x"), zero(), one(), one(), no(), hooks()]), "storage"),
        (v3(&[float_storage(), zero(), one(), one(), no(), hooks(), dtype()]), "dtype"),
        (v3(&[untyped(), zero(), one(), one(), no(), hooks()]), "RebuildTensorV3"),
        (reduce(utils("_rebuild_parameter"), &[zero(), no(), hooks()]), "parameter"),
        (reduce(global("collections", "OrderedDict"), &[tuple(&[])]), "OrderedDict"),
        (reduce(global("torch", "float32"), &[]), "Dtype"),
        (reduce(int(1), &[]), "cannot be called"),
        ([utils("_rebuild_tensor"), int(1), b"R".to_vec()].concat(), "an int"),
    ] {
        let message = refusal(&body);
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn objects_other_than_dictionaries_of_tensors_are_refused() {
    let dict = |key: Vec<u8>, item: Vec<u8>| pickle(&[b"}".to_vec(), key, item, b"s".to_vec()].concat());
    let twice =
        [b"}(".to_vec(), text("a"), view(&[1], &[1], 0), text("a"), view(&[1], &[1], 0), b"u".to_vec()];
    for (bytes, named) in [
        (pickle(&int(1)), "an int"),
        (dict(int(1), view(&[1], &[1], 0)), "a key is an int"),
        (dict(text("w"), text("x")), "weight `w`"),
        (dict(text("w"), view(&[9], &[1], 0)), "weight `w`"),
        (pickle(&twice.concat()), "twice"),
    ] {
        let message = read(&bytes).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}
