//! A workload's program must be a target of its package: an objective of nothing would never be checked.

use super::error::ConfigError;
use super::nearest::nearest;
use super::workload::{Program, WorkloadConfig};

/// Refuses the first table whose `bin` or `bench` the package does not have. `manifest` is named in the error.
pub fn known_targets(tables: &[WorkloadConfig], bins: &[&str], benches: &[&str], manifest: &str) -> Result<(), ConfigError> {
    for (index, table) in tables.iter().enumerate() {
        let (kind, name, known) = match &table.program {
            Program::Bin(name) => ("bin", name, bins),
            Program::Bench(name) => ("bench", name, benches),
            Program::Command(_) => continue,
        };
        if !known.contains(&name.as_str()) {
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => format!("the package has no {kind} target"),
                None => format!("it has {}", known.join(", ")),
            };
            return Err(ConfigError {
                message: format!("`{name}` is no {kind} target of the package"),
                key: format!("package.metadata.perf-expert.workload[{index}].{kind}"),
                file: manifest.to_owned(),
                hint: Some(hint),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(program: Program) -> WorkloadConfig {
        let (args, datasets, slo) = (Vec::new(), Vec::new(), Vec::new());
        WorkloadConfig { name: "w".into(), program, args, datasets, timeout: None, throughput: None, slo }
    }

    #[test]
    fn a_slip_in_the_name_of_a_target_is_an_error_that_names_the_nearest() {
        let tables = [table(Program::Bin("importer".into())), table(Program::Bench("datetime_pars".into()))];
        let check = |benches: &[&str]| known_targets(&tables, &["importer"], benches, "Cargo.toml");
        assert_eq!(check(&["datetime_pars"]), Ok(()));
        let error = check(&["datetime_parse", "other"]).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint.as_deref()),
            (
                "`datetime_pars` is no bench target of the package at `package.metadata.perf-expert.workload[1].bench` in Cargo.toml",
                Some("did you mean `datetime_parse`?")
            )
        );
        assert_eq!(check(&[]).unwrap_err().hint.as_deref(), Some("the package has no bench target"));
    }
}
