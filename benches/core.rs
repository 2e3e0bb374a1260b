//! The speed goals of the pure core: the join with a profile of 10⁶ samples, the items of a 1 000-file diff, a decision.

use std::hint::black_box;

use camino::Utf8PathBuf;
use criterion::{Criterion, criterion_group, criterion_main};
use perf_expert::heat::{PathMapper, join};
use perf_expert::profile::model::{Engine, Frame, ProfileBuilder, Quality};
use perf_expert::profile::{Profile, pprof};
use perf_expert::source::{CrateRoot, SourceFile, Tree, changes};
use perf_expert::stats::{Margins, SplitMix64, decide};

const FILES: usize = 1000;
const FUNCTIONS: usize = 10;
const SAMPLES: u64 = 1_000_000;

fn file(number: usize, constant: usize) -> SourceFile {
    let function = |f: usize| {
        format!(
            "/// Works.\npub fn work_{f}(x: u64) -> u64 {{\n    let y = x.wrapping_mul({constant});\n    y ^ (y >> {f})\n}}\n\n"
        )
    };
    let text: String = (0..FUNCTIONS).map(function).collect();
    SourceFile::new(format!("src/m{number}.rs"), text, &[CrateRoot::new("core", "src/lib.rs")])
}

fn profile() -> Profile {
    let mut random = SplitMix64::new(1);
    let mut builder = ProfileBuilder::new();
    let mut frames = Vec::new();
    for number in 0..FILES {
        for function in 0..FUNCTIONS {
            frames.push(builder.frame(Frame {
                function: format!("core::m{number}::work_{function}"),
                file: Some(format!("/repo/src/m{number}.rs")),
                line: Some(6 * function as u32 + 3),
                module: "bench".into(),
                inlined: false,
            }));
        }
    }
    for _ in 0..SAMPLES / 10 {
        let stack = (0..12).map(|_| frames[random.below(frames.len())]).collect();
        builder.stack(stack, 10);
    }
    let quality = Quality {
        engine: Engine::PerfEvent,
        samples: SAMPLES,
        frequency: 999,
        lost: 0,
        truncated: 0,
        cpu_ns: Some(1_000_000_000_000),
        wall_ns: 1_000_000_000_000,
    };
    builder.finish(quality)
}

fn benches(c: &mut Criterion) {
    let base: Vec<SourceFile> = (0..FILES).map(|number| file(number, 3)).collect();
    let head: Vec<SourceFile> = (0..FILES).map(|number| file(number, 5)).collect();
    let tree = Tree::of(&base);
    let profile = profile();
    let mapper = PathMapper::new([Utf8PathBuf::from("/repo")]);
    c.bench_function("items of a 1000-file diff", |b| b.iter(|| changes(black_box(&base), black_box(&head), &[])));
    c.bench_function("join of 10^6 samples", |b| b.iter(|| join(black_box(&profile), &tree, &mapper).samples()));
    c.bench_function("encode 10^6 samples", |b| b.iter(|| pprof::encode(black_box(&profile)).map(|bytes| bytes.len())));
    let mut random = SplitMix64::new(2);
    let rounds: Vec<f64> = (0..192).map(|_| 0.02 * random.normal()).collect();
    c.bench_function("decide after 192 rounds", |b| {
        b.iter(|| decide(black_box(&rounds), black_box(&rounds), Margins::default(), 0.01));
    });
}

criterion_group! {
    name = core;
    config = Criterion::default().sample_size(10).with_profiler(perf_expert::criterion::Profiler::default());
    targets = benches
}
criterion_main!(core);
