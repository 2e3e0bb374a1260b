//! Sets one-shot breakpoints in every process that executes the probed executable, and remembers which ones were hit.
//!
//! What a trap means is read from memory, not from a record of what was set: threads share memory, forked children carry copies of
//! it, and children of `vfork` borrow it.

use std::collections::HashMap;
use std::io::Result;

use super::image::{Image, Patch};
use super::region::{Execution, Limits};
use super::sites::Sites;
use crate::process::traced::{Flow, Stopped, Tracer, Trap};

pub(super) struct Breakpoints<'s> {
    sites: &'s Sites,
    end_early: bool,
    every_site: bool,
    /// Per process; `None` for one that executes something else.
    images: HashMap<i32, Option<Image>>,
    site_hit: Vec<bool>,
    region_hits: Vec<usize>,
    /// Regions that have code and were not hit yet.
    open_regions: usize,
    /// How often the probed executable was executed.
    pub(super) executed: usize,
    /// Sites whose memory was not what the file says.
    pub(super) strange: usize,
}

impl<'s> Breakpoints<'s> {
    pub(super) fn new(sites: &'s Sites, limits: &Limits) -> Self {
        Self {
            sites,
            end_early: limits.end_early,
            every_site: limits.every_site,
            images: HashMap::new(),
            site_hit: vec![false; sites.len()],
            region_hits: vec![0; sites.regions()],
            open_regions: (0..sites.regions()).filter(|&region| sites.of_region(region) > 0).count(),
            executed: 0,
            strange: 0,
        }
    }

    pub(super) fn executions(&self) -> Vec<Execution> {
        self.region_hits.iter().enumerate().map(|(region, &hit)| Execution::new(self.sites.of_region(region), hit)).collect()
    }

    /// True when a hit of the site would tell something new.
    fn is_open(&self, site: usize) -> bool {
        if self.every_site {
            return self.site_hit.get(site) == Some(&false);
        }
        self.sites.regions_of(site).iter().any(|&region| self.region_hits.get(region) == Some(&0))
    }

    fn mark(&mut self, site: usize) {
        let Some(hit) = self.site_hit.get_mut(site) else { return };
        if std::mem::replace(hit, true) {
            return;
        }
        for &region in self.sites.regions_of(site) {
            if let Some(hits) = self.region_hits.get_mut(region) {
                self.open_regions -= usize::from(*hits == 0);
                *hits += 1;
            }
        }
    }

    /// The sites that the hit of one has made needless, itself included.
    fn needless(&self, site: usize) -> Vec<usize> {
        let mut needless = vec![site];
        if !self.every_site {
            let related = self.sites.regions_of(site).iter().flat_map(|&region| self.sites.sites_of(region));
            needless.extend(related.filter(|&&related| !self.is_open(related)));
            needless.sort_unstable();
            needless.dedup();
        }
        needless
    }

    fn flow(&self) -> Flow {
        if self.end_early && self.open_regions == 0 { Flow::End } else { Flow::Continue }
    }
}

impl Tracer for Breakpoints<'_> {
    fn executed(&mut self, stopped: &Stopped) -> Result<Flow> {
        let Some(image) = Image::of(stopped, self.sites)? else {
            self.images.insert(stopped.process(), None);
            return Ok(Flow::Continue);
        };
        self.executed += 1;
        let open: Vec<usize> = (0..self.sites.len()).filter(|&site| self.is_open(site)).collect();
        self.strange += image.patch(stopped, self.sites, &open, Patch::Breakpoint)?;
        self.images.insert(stopped.process(), Some(image));
        Ok(if self.strange > 0 { Flow::End } else { self.flow() })
    }

    fn trapped(&mut self, stopped: &Stopped) -> Result<Trap> {
        if !self.images.contains_key(&stopped.process()) {
            // A forked child: the same executable at the same place, in a memory of its own.
            self.images.insert(stopped.process(), Image::of(stopped, self.sites)?);
        }
        let Some(Some(image)) = self.images.get(&stopped.process()) else { return Ok(Trap::Foreign) };
        // int3 is one byte long, and the instruction pointer is behind it.
        let address = stopped.instruction_pointer()?.wrapping_sub(1);
        let Some(site) = self.sites.at(image.in_file(address)) else { return Ok(Trap::Foreign) };
        self.mark(site);
        let needless = self.needless(site);
        if let Some(Some(image)) = self.images.get(&stopped.process()) {
            image.patch(stopped, self.sites, &needless, Patch::Original)?;
        }
        stopped.set_instruction_pointer(address)?;
        Ok(Trap::Ours(self.flow()))
    }

    fn ended(&mut self, process: i32) {
        self.images.remove(&process);
    }
}
