"""Starts all of it on one machine: servers from wheels, web, workers, scheduler, simulators."""
