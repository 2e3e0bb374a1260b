//! Which objectives of the configuration belong to a workload, and the work that it states.

use super::Filter;
use super::enumerate::matches;
use crate::config::{Program, Slo, Work, WorkloadConfig};
use crate::measure::{Workload, WorkloadKind};

impl Filter {
    /// The objectives of every table that is about the workload: same package and target, and a `name` that is its id (`*` stands
    /// for any text, so one table can be about many benchmark ids).
    pub fn objectives(&self, workload: &Workload) -> Vec<Slo> {
        let tables = self.configured.get(&workload.package).map(Vec::as_slice).unwrap_or_default();
        tables.iter().filter(|table| is_about(table, workload)).flat_map(|table| table.slo.iter().cloned()).collect()
    }

    /// The work of one run or iteration, from the tables that [`Filter::objectives`] reads; a name without `*` comes first.
    pub fn work(&self, workload: &Workload) -> Option<Work> {
        let tables = self.configured.get(&workload.package)?;
        let about = || tables.iter().filter(|table| is_about(table, workload));
        let exact = about().filter(|table| !table.name.contains('*')).find_map(|table| table.throughput);
        exact.or_else(|| about().find_map(|table| table.throughput))
    }

    /// Tables with objectives or work whose target is among the workloads, and whose name is none of theirs: nobody will ever check them.
    pub fn aimless(&self, workloads: &[&Workload]) -> Vec<String> {
        let says = |table: &&WorkloadConfig| !table.slo.is_empty() || table.throughput.is_some();
        self.nameless(workloads).into_iter().filter(says).map(|table| table.name.clone()).collect()
    }

    /// Tables whose target is among the workloads, and whose name is none of theirs; none where only some workloads were asked for.
    pub fn nameless(&self, workloads: &[&Workload]) -> Vec<&WorkloadConfig> {
        let nameless = |package: &String, table: &WorkloadConfig| {
            let of_target: Vec<&&Workload> =
                workloads.iter().filter(|workload| workload.package == *package && has_target(table, workload)).collect();
            !of_target.is_empty() && !of_target.iter().any(|workload| has_name(table, workload))
        };
        let asked = self.configured.iter().filter(|_| self.ids.is_empty());
        let tables = asked.flat_map(|(package, tables)| tables.iter().map(move |table| (package, table)));
        tables.filter(|(package, table)| nameless(package, table)).map(|(_, table)| table).collect()
    }
}

fn is_about(table: &WorkloadConfig, workload: &Workload) -> bool {
    has_target(table, workload) && has_name(table, workload)
}

fn has_target(table: &WorkloadConfig, workload: &Workload) -> bool {
    let is_binary = workload.kind == WorkloadKind::Binary;
    match &table.program {
        Program::Bin(name) => is_binary && *name == workload.target,
        Program::Bench(name) => !is_binary && *name == workload.target,
        Program::Command(_) => false,
    }
}

/// The id carries its package and target only where two would be equal.
fn has_name(table: &WorkloadConfig, workload: &Workload) -> bool {
    let prefix = format!("{}/{}::", workload.package, workload.target);
    let short = workload.id.strip_prefix(&prefix).unwrap_or(&workload.id);
    matches(&table.name, &workload.id) || matches(&table.name, short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::workload::sample;

    fn table(name: &str, program: Program) -> WorkloadConfig {
        let slo = vec![Slo { metric: "latency.p50".into(), bound: 1.0, unit: "ns", written: "1ns".into() }];
        WorkloadConfig {
            name: name.into(),
            program,
            args: Vec::new(),
            datasets: Vec::new(),
            timeout: None,
            throughput: None,
            slo,
        }
    }

    fn filter(tables: Vec<WorkloadConfig>) -> Filter {
        Filter { configured: [("x".to_owned(), tables)].into(), ..Filter::default() }
    }

    #[test]
    fn a_table_is_about_the_ids_that_its_name_fits() {
        let filter =
            filter(vec![table("fold/*", Program::Bench("bench".into())), table("fold/large", Program::Bench("bench".into()))]);
        assert_eq!(filter.objectives(&sample("fold/large", WorkloadKind::Criterion)).len(), 2);
        assert_eq!(filter.objectives(&sample("fold/small", WorkloadKind::Criterion)).len(), 1);
        assert!(filter.objectives(&sample("walk", WorkloadKind::Criterion)).is_empty());
        assert!(filter.objectives(&sample("fold/small", WorkloadKind::Binary)).is_empty(), "a binary is no bench");
        let prefixed = Workload { id: "x/bench::fold/small".into(), ..sample("fold/small", WorkloadKind::Criterion) };
        assert_eq!(filter.objectives(&prefixed).len(), 1);
    }

    #[test]
    fn the_work_of_an_id_comes_from_the_table_that_names_it() {
        let of = |name, amount| WorkloadConfig {
            throughput: Some(Work { amount, unit: "elements" }),
            ..table(name, Program::Bench("bench".into()))
        };
        let filter = filter(vec![of("fold/*", 10), of("fold/large", 1000)]);
        let amount = |id| filter.work(&sample(id, WorkloadKind::Divan)).map(|work| work.amount);
        assert_eq!((amount("fold/large"), amount("fold/small"), amount("walk")), (Some(1000), Some(10), None));
    }

    #[test]
    fn two_tables_of_one_program_are_about_two_workloads() {
        let importer = || Program::Bin("importer".into());
        let filter = filter(vec![table("importer", importer()), table("import-large", importer())]);
        let large =
            Workload { target: "importer".into(), harness_id: "importer".into(), ..sample("import-large", WorkloadKind::Binary) };
        assert_eq!(filter.objectives(&large).len(), 1);
    }

    #[test]
    fn a_table_about_nothing_is_named() {
        let small = sample("fold/small", WorkloadKind::Criterion);
        let workloads = [&small];
        let wrong = table("fold/smal", Program::Bench("bench".into()));
        let elsewhere = table("other", Program::Bench("not-selected".into()));
        assert_eq!(filter(vec![wrong.clone(), elsewhere]).aimless(&workloads), ["fold/smal"]);
        let chosen = Filter { ids: vec!["fold/small".into()], ..filter(vec![wrong]) };
        assert!(chosen.aimless(&workloads).is_empty(), "the others were not asked for");
    }
}
