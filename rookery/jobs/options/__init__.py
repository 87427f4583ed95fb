"""The options of the commands for jobs, by subject."""

from rookery.jobs.options.compute_nodes import ShellOptions
from rookery.jobs.options.data import DataListOptions, DataPushOptions, DataRmOptions, DataVerifyOptions
from rookery.jobs.options.exporting import ExportOptions
from rookery.jobs.options.measuring import ProfileOptions, ScaleOptions
from rookery.jobs.options.monitoring import (
    CancelOptions,
    JobsOptions,
    LogsOptions,
    QueueOptions,
    QuotaOptions,
    TopOptions,
)
from rookery.jobs.options.records import ReproduceOptions, RunsOptions
from rookery.jobs.options.results import CombineOptions, FetchOptions
from rookery.jobs.options.scripts import LintOptions, RenderOptions
from rookery.jobs.options.serving import ServeListOptions, ServeOptions, ServeStopOptions
from rookery.jobs.options.submitting import RunOptions, SubmitOptions

__all__ = [
    "CancelOptions",
    "CombineOptions",
    "DataListOptions",
    "DataPushOptions",
    "DataRmOptions",
    "DataVerifyOptions",
    "ExportOptions",
    "FetchOptions",
    "JobsOptions",
    "LintOptions",
    "LogsOptions",
    "ProfileOptions",
    "QueueOptions",
    "QuotaOptions",
    "RenderOptions",
    "ReproduceOptions",
    "RunOptions",
    "RunsOptions",
    "ScaleOptions",
    "ServeListOptions",
    "ServeOptions",
    "ServeStopOptions",
    "ShellOptions",
    "SubmitOptions",
    "TopOptions",
]
