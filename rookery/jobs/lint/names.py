"""Names of commands that the rules know."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = _names("""
    add load try-add try-load add-any load-any del unload rm remove swap sw switch purge refresh reload update
    list ls avail av spider sp keyword key search apropos whatis what show display help use unuse save restore
    savelist saverm saveshow disable describe listdefault reset r is-loaded isloaded is-avail isavail is-saved
    is-used aliases test path paths append-path prepend-path remove-path source sh-to-mod mod-to-sh config state
    stash stashpop stashrm stashclear stashshow stashlist initadd initload initprepend initswitch initrm
    initunload initlist initclear clear edit lint autoinit cachebuild cacheclear tablelist category overview
    init info-loaded variant getenv setenv
""")
"""The verbs of `module`, by the manuals of Lmod and of Environment Modules."""

LOADING = _names("activate enable install import get open start include require using attach")
"""Words that users write for loading a module."""

STARTERS = _names("""
    srun mpirun mpiexec mpiexec.hydra mpirun_rsh orterun prun prterun ibrun aprun jsrun bede-mpirun ghrun oshrun
    mpirun.openmpi mpirun.mpich mpiexec.openmpi mpiexec.mpich mpiexec.slurm
    torchrun deepspeed accelerate horovodrun charmrun dask-mpi torch.distributed.run torch.distributed.launch
    accelerate.commands.launch
""")
"""Commands, and modules of Python, that run the command behind them in several processes."""

LAUNCHERS = STARTERS | {"parallel", "ray", "julia"}
"""Commands that start processes on what the job was given."""

OWN_LAUNCHERS = _names("""
    orca ansys fluent abaqus starccm+ comsol molpro qchem ams mapdl jobex snakemake nextflow dask spark-submit hq
    g16 g09
""")
"""Programs that start the processes of their own runs."""

SETTING_UP = _names("""
    source . module ml export set unset exit return wait touch test [ : cd mkdir echo printf hostname date sleep
    true false env printenv pwd whoami id groups uname nproc lscpu lsb_release free uptime ls cat head tail wc
    df du stat eval trap ulimit umask read shopt shift local declare readonly typeset alias type which command
    basename dirname realpath readlink mktemp chmod ln cp mv rm rmdir scontrol sacct squeue sinfo sstat sbatch
    scancel sacctmgr nvidia-smi pyenv mail mailx sendmail logger tee cut tr seq break continue let getopts hash
    pushd popd time conda mamba poetry uv activate deactivate gpfsquota qquota quota
""")
"""Commands that need next to no memory, or make things ready for one that computes."""

COUNTED = _names("""
    SLURM_NTASKS SLURM_NPROCS SLURM_JOB_NODELIST SLURM_NODELIST SLURM_TASKS_PER_NODE SLURM_NTASKS_PER_NODE
    SLURM_JOB_NUM_NODES SLURM_NNODES
""")
"""Variables by which a script sees to its processes itself."""
