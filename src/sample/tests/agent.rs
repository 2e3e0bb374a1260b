//! Live tests of the pprof agent. It is built once for all test runs of a checkout, without the network.

use super::*;

/// Where the tests keep the built agent: beside the test executables, which survive a single run.
fn cache() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let profile = executable.parent().and_then(|deps| deps.parent()).unwrap();
    profile.parent().unwrap_or(profile).join("tmp/xdg-cache/cargo-perf-expert/agent")
}

/// The agent and the program; `None` where cargo's cache lacks the agent's crates.
fn live() -> Option<(Agent, Arc<Program>, MutexGuard<'static, ()>)> {
    let turn = turn();
    let rustc = Tool::new("rustc").arg("-vV").run_checked().unwrap().text();
    let platform = "x86_64-unknown-linux-gnu";
    let build = AgentBuild { cargo: Tool::new("cargo"), rustc: &rustc, platform, offline: true };
    match build.prepare(&cache(), || {}) {
        Ok(agent) => Some((agent, Program::compiled(), turn)),
        Err(error @ AgentError::Crates { .. }) => {
            std::io::stderr().write_all(format!("SKIPPED a live test of the pprof agent: {error}\n").as_bytes()).unwrap();
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn recorded(agent: &Agent, launch: &Launch) -> Result<Recording, NoStacks> {
    match agent.record(launch, &limits(), &SampleOptions::default()) {
        Ok(recording) => Ok(recording),
        Err(SampleError::NoStacks(none)) => Err(none),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_agent_finds_the_shares_names_and_lines_that_the_native_engine_finds() {
    let Some((agent, program, _turn)) = live() else { return };
    let Recording { profile, finished, .. } = recorded(&agent, &program.launch("single", 4000)).unwrap();
    assert_shares(&profile, &truth(&finished));
    let quality = &profile.quality;
    assert_eq!(quality.engine, Engine::PprofAgent);
    assert_eq!(profile.samples(), quality.samples);
    assert!(quality.frequency <= most_per_second(), "{quality:?}");
    // A machine that is shared four ways loses timer ticks.
    assert!((0.35..1.4).contains(&quality.coverage().unwrap()), "{quality:?}");
    assert!(quality.truncated_share() < 0.05, "{quality:?}");
    // Inlined calls and lines survive: pprof-rs alone takes one address for all of a function's.
    assert!(profile.frames.iter().any(|frame| is(frame, "share_b") && frame.inlined));
    let (start, end) = lines_of("share_a");
    let lines: Vec<u32> = profile.frames.iter().filter(|frame| is(frame, "share_a")).filter_map(|frame| frame.line).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| (start..=end).contains(line)), "{lines:?}");
    assert!(!profile.frames.iter().any(|frame| frame.module.contains("agent")), "the agent's own start is no sample");
}

#[test]
fn programs_that_allocate_or_start_threads_without_end_do_not_hang() {
    let Some((agent, program, _turn)) = live() else { return };
    for mode in ["allocate", "churn", "threads"] {
        for _ in 0..3 {
            let Recording { profile, finished, .. } = recorded(&agent, &program.launch(mode, 300)).unwrap();
            assert!(finished.success() && profile.samples() > 0, "{mode}: {} {:?}", finished.outcome(), profile.quality);
        }
    }
}

#[test]
fn a_program_of_a_few_milliseconds_is_seen_from_its_begin() {
    let Some((agent, program, _turn)) = live() else { return };
    let (mut samples, mut ticks) = (0, 0.0);
    for _ in 0..60 {
        let quality = recorded(&agent, &program.launch("single", 5)).unwrap().profile.quality;
        samples += quality.samples;
        ticks += 0.005 * quality.frequency as f64;
    }
    // The kernel adds a tick to the first period: without the agent's waiting, about a third would be left.
    assert!(samples as f64 > 0.5 * ticks, "{samples} of {ticks}");
}

#[test]
fn a_wrapper_and_other_programs_around_the_expected_one_are_not_sampled() {
    let Some((agent, program, _turn)) = live() else { return };
    let target = program.dir.path().join("target");
    let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; \"$0\" single 800; /bin/true";
    let launch = Launch::new("/bin/sh", "/").args(["-c".into(), script.into(), target.clone().into_os_string()]);
    let Recording { profile, finished, .. } = agent.record_only(&target, &launch, &limits(), &SampleOptions::default()).unwrap();
    assert!(finished.success(), "{}", finished.stderr_tail(5));
    assert!(profile.samples() > 50, "{:?}", profile.quality);
    let rooted = total(&profile, |frame| frame.function == "target::main");
    assert!(rooted > 0.9, "main is in {rooted} of the stacks");
}

#[test]
fn processes_of_the_same_program_add_up() {
    let Some((agent, program, _turn)) = live() else { return };
    let coverage = || recorded(&agent, &program.launch("children", 500)).unwrap().profile.quality.coverage().unwrap();
    // Timer ticks that a busy machine loses are not lost three times; a process that is left out is.
    assert!((0..3).any(|_| coverage() > 0.6));
}

#[test]
fn a_run_that_left_no_stacks_says_why() {
    let Some((agent, program, _turn)) = live() else { return };
    let none = recorded(&agent, &program.launch("vanish", 100)).unwrap_err();
    assert!(matches!(&none, NoStacks::Unwritten { outcome } if outcome == "exit code 0"), "{none}");
    assert!(matches!(recorded(&agent, &program.launch("own-signal", 100)), Err(NoStacks::Taken)));
    let script = program.dir.path().join("script");
    std::fs::write(&script, "#!/bin/sh\nexec /bin/true\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(matches!(recorded(&agent, &Launch::new(script, "/")), Err(NoStacks::NotLoaded)));
}
