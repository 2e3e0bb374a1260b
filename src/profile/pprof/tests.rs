#![cfg(unix)]

use pprof::protos;
use proptest::prelude::*;

use super::*;
use crate::profile::model::{Alias, Engine, Frame, ProfileBuilder, Quality};

type Counted = Vec<(Vec<Frame>, u64)>;

/// A profile as a set of stacks with whole frames, so that the order in which frames were interned does not matter.
fn meaning(profile: &Profile) -> (Counted, Quality, Vec<Alias>) {
    let mut stacks: Vec<_> =
        profile.stacks.iter().map(|stack| (profile.frames_of(stack).cloned().collect::<Vec<_>>(), stack.count)).collect();
    stacks.sort_by_key(|(frames, count)| (format!("{frames:?}"), *count));
    (stacks, profile.quality.clone(), profile.aliases.clone())
}

fn frame() -> impl Strategy<Value = Frame> {
    let file = prop::option::of("/[a-z]{1,4}/[a-z]{1,4}\\.rs");
    ("[a-z:<> {}]{1,8}", file, prop::option::of(1u32..), "[a-z.\\[\\]]{1,5}", any::<bool>())
        .prop_map(|(function, file, line, module, inlined)| Frame { function, file, line, module, inlined })
}

/// A stack of physical frames, each with its inlined ones, as the sampler makes them.
fn stack() -> impl Strategy<Value = Vec<Frame>> {
    prop::collection::vec(frame(), 1..8).prop_map(|mut frames| {
        let mut next_outer: Option<Frame> = None;
        for frame in frames.iter_mut().rev() {
            match &next_outer {
                Some(outer) if frame.inlined => frame.module.clone_from(&outer.module),
                _ => frame.inlined = false,
            }
            next_outer = Some(frame.clone());
        }
        frames
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let stacks = prop::collection::vec((stack(), 1u64..1_000_000), 0..10);
    let cpu = prop::option::of(any::<u64>());
    (stacks, 0u64..10_000, any::<u64>(), any::<u64>(), cpu, 0..i64::MAX as u64).prop_map(
        |(stacks, frequency, lost, truncated, cpu_ns, wall_ns)| {
            let mut builder = ProfileBuilder::new();
            let mut samples = 0;
            for (frames, count) in stacks {
                let ids = frames.into_iter().map(|frame| builder.frame(frame)).collect();
                builder.stack(ids, count);
                samples += count;
            }
            builder.alias(Alias { function: "a::b".into(), module: "exe".into(), others: vec!["a::c".into()] });
            builder.finish(Quality { engine: Engine::PerfEvent, samples, frequency, lost, truncated, cpu_ns, wall_ns })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_profile_survives_the_round_trip(profile in profile()) {
        let bytes = encode(&profile).unwrap();
        prop_assert_eq!(meaning(&decode(&bytes).unwrap()), meaning(&profile));
        prop_assert_eq!(encode(&profile).unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_profile_but_never_a_panic(
        profile in profile(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let packed = encode(&profile).unwrap();
        let mut bytes = unpack(&packed).unwrap().into_owned();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _error_or_not = decode(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _error_or_not = decode(&bytes);
        prop_assert!(decode(&packed[..packed.len() - 1 - cut.index(packed.len() - 3)]).is_err());
    }

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _error_or_not = decode(&bytes);
    }
}

fn foreign(types: &[(i64, i64)], value: Vec<i64>) -> protos::Profile {
    let strings = ["", "cpu", "nanoseconds", "samples", "count", "_ZN3tgt4work17h0123456789abcdefE", "/bin/tgt", "a.rs"];
    protos::Profile {
        sample_type: types.iter().map(|&(ty, unit)| protos::ValueType { ty, unit }).collect(),
        sample: vec![protos::Sample { location_id: vec![7], value, ..protos::Sample::default() }],
        mapping: vec![protos::Mapping { id: 1, filename: 6, ..protos::Mapping::default() }],
        location: vec![protos::Location {
            id: 7,
            mapping_id: 1,
            line: vec![protos::Line { function_id: 9, line: 3 }],
            ..protos::Location::default()
        }],
        function: vec![protos::Function { id: 9, name: 5, filename: 7, ..protos::Function::default() }],
        string_table: strings.map(str::to_owned).to_vec(),
        period_type: Some(protos::ValueType { ty: 1, unit: 2 }),
        period: 10_000_000,
        ..protos::Profile::default()
    }
}

fn read(message: &protos::Profile) -> Result<Profile, PprofError> {
    decode(&protos::Message::encode_to_vec(message))
}

#[test]
fn another_tools_profile_is_read_with_normalized_names() {
    let profile = read(&foreign(&[(3, 4), (1, 2)], vec![12, 120_000_000])).unwrap();
    let first = &profile.frames[0];
    assert_eq!((first.function.as_str(), first.module.as_str(), first.line), ("tgt::work", "tgt", Some(3)));
    assert_eq!((profile.samples(), profile.quality.frequency, profile.quality.engine), (12, 100, Engine::Imported));
    assert_eq!(profile.quality.cpu_ns, None);
}

#[test]
fn time_alone_weighs_and_its_nanoseconds_are_no_samples() {
    let mut message = foreign(&[(1, 2)], vec![120_000_000]);
    let again = message.sample[0].clone();
    message.sample.push(again);
    let profile = read(&message).unwrap();
    assert_eq!((profile.samples(), profile.records, profile.quality.samples), (240_000_000, Some(2), 2));
    // A sample every 100 ms: two records cannot hold more than the two samples that this makes.
    message.period = 200_000_000;
    assert_eq!(read(&message).unwrap().records, Some(1));
}

#[test]
fn samples_of_one_revision_are_taken_where_several_are_mixed() {
    let mut message = foreign(&[(3, 4)], vec![5]);
    message.string_table.extend(["commit", "aaaa", "bbbb"].map(str::to_owned));
    let sample = |value: i64, commit: i64| protos::Sample {
        location_id: vec![7],
        value: vec![value],
        label: vec![protos::Label { key: 8, str: commit, ..protos::Label::default() }],
    };
    message.sample = vec![sample(5, 9), sample(7, 10), sample(1, 10)];
    let imported = import(&protos::Message::encode_to_vec(&message)).unwrap();
    let expected = Revision { label: "commit".into(), value: "bbbb".into(), others: 1, left_out: 1 };
    assert_eq!((imported.revision, imported.profile.samples()), (Some(expected), 8));
}

#[test]
fn dangling_references_and_negative_counts_are_errors() {
    let mut message = foreign(&[(3, 4)], vec![-1]);
    assert!(matches!(read(&message), Err(PprofError::Inconsistent("a sample count is negative"))));
    message.sample[0].value = vec![1];
    message.location.clear();
    assert!(matches!(read(&message), Err(PprofError::Inconsistent("a location is missing"))));
    let mut message = foreign(&[(3, 4)], vec![1]);
    message.function[0].name = 99;
    assert!(matches!(read(&message), Err(PprofError::Inconsistent("a string is missing"))));
}
