"""Names that the rules know: of commands, of packages, of Slurm's variables."""

import sys


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
    ddlrun bede-ddlrun
    mpirun.openmpi mpirun.mpich mpiexec.openmpi mpiexec.mpich mpiexec.slurm
    torchrun deepspeed accelerate horovodrun charmrun dask-mpi torch.distributed.run torch.distributed.launch
    accelerate.commands.launch
""")
"""Commands, and modules of Python, that run the command behind them in several processes."""

LAUNCHERS = STARTERS | {"parallel", "ray", "julia"}
"""Commands that start processes on what the job was given."""

OWN_LAUNCHERS = _names("""
    orca ansys fluent abaqus starccm+ comsol molpro qchem ams mapdl jobex snakemake nextflow dask spark-submit hq
    g16 g09 cfx5solve matlab haddock3
""")
"""Programs that start the processes of their own runs."""

SETTING_UP = _names("""
    source . module ml export set unset exit return wait touch test [ : cd mkdir echo printf hostname date sleep
    true false env printenv pwd whoami id groups uname nproc lscpu lsb_release free uptime ls cat head tail wc
    df du stat eval trap ulimit umask read shopt shift local declare readonly typeset alias type which command
    basename dirname realpath readlink mktemp chmod ln cp mv rm rmdir scontrol sacct squeue sinfo sstat sbatch
    scancel sacctmgr nvidia-smi pyenv mail mailx sendmail logger tee cut tr seq break continue let getopts hash
    pushd popd time conda mamba poetry uv activate deactivate gpfsquota qquota quota
    tar gzip gunzip zip unzip grep egrep sed find kill ldd rsync scp wget curl git
""")
"""Commands that need next to no memory, or make things ready for one that computes."""

COUNTED = _names("""
    SLURM_NTASKS SLURM_NPROCS SLURM_JOB_NODELIST SLURM_NODELIST SLURM_TASKS_PER_NODE SLURM_NTASKS_PER_NODE
    SLURM_JOB_NUM_NODES SLURM_NNODES
""")
"""Variables by which a script sees to its processes itself."""

PYTHON_PACKAGES = sys.stdlib_module_names | _names("""
    numpy scipy pandas matplotlib sklearn statsmodels sympy numba tqdm seaborn networkx xarray joblib yaml h5py polars
    PIL requests plotly pyarrow tables astropy skimage numexpr
""")
R_PACKAGES = _names("""
    base stats graphics grDevices utils datasets methods parallel splines stats4 tools compiler grid tidyverse dplyr
    ggplot2 readr tidyr purrr tibble stringr forcats lubridate data.table MASS Matrix foreach doParallel future furrr
    future.apply lme4 survival mgcv nlme mvtnorm glmnet boot broom magrittr Rcpp
""")
"""Packages that do not ask Slurm for the number of a task."""

SLURM_VARIABLES = _names("""
    SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_COUNT SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_MAX SLURM_ARRAY_TASK_MIN
    SLURM_ARRAY_TASK_STEP SLURM_CLUSTER_NAME SLURM_CPUS_ON_NODE SLURM_CPUS_PER_GPU SLURM_CPUS_PER_TASK
    SLURM_DISTRIBUTION SLURM_EXPORT_ENV SLURM_GPUS SLURM_GPUS_ON_NODE SLURM_GPUS_PER_NODE SLURM_GPUS_PER_SOCKET
    SLURM_GPUS_PER_TASK SLURM_GTIDS SLURM_HET_SIZE SLURM_JOBID SLURM_JOB_ACCOUNT SLURM_JOB_CPUS_PER_NODE
    SLURM_JOB_DEPENDENCY SLURM_JOB_END_TIME SLURM_JOB_GID SLURM_JOB_GPUS SLURM_JOB_ID SLURM_JOB_NAME
    SLURM_JOB_NODELIST SLURM_JOB_NUM_NODES SLURM_JOB_PARTITION SLURM_JOB_QOS SLURM_JOB_RESERVATION
    SLURM_JOB_START_TIME SLURM_JOB_UID SLURM_JOB_USER SLURM_LAUNCH_NODE_IPADDR SLURM_LOCALID SLURM_MEM_PER_CPU
    SLURM_MEM_PER_GPU SLURM_MEM_PER_NODE SLURM_NNODES SLURM_NODEID SLURM_NODELIST SLURM_NODE_ALIASES SLURM_NPROCS
    SLURM_NTASKS SLURM_NTASKS_PER_CORE SLURM_NTASKS_PER_GPU SLURM_NTASKS_PER_NODE SLURM_NTASKS_PER_SOCKET
    SLURM_OVERCOMMIT SLURM_PROCID SLURM_PROFILE SLURM_RESTART_COUNT SLURM_SHARDS_ON_NODE SLURM_STEPID SLURM_STEP_GPUS
    SLURM_STEP_ID SLURM_STEP_NODELIST SLURM_STEP_NUM_NODES SLURM_STEP_NUM_TASKS SLURM_STEP_TASKS_PER_NODE
    SLURM_SUBMIT_DIR SLURM_SUBMIT_HOST SLURM_TASKS_PER_NODE SLURM_TASK_PID SLURM_THREADS_PER_CORE SLURM_TOPOLOGY_ADDR
    SLURM_TOPOLOGY_ADDR_PATTERN SLURM_TRES_PER_TASK SLURM_UMASK SLURM_WORKING_CLUSTER SLURMD_NODENAME
""")
"""The variables of a job and of a step, by sbatch(1) and srun(1), and by what a job's environment held (22.05)."""

SLURM_ELSE = _names("""
    SLURM_ACCOUNT SLURM_CONF SLURM_CONSTRAINT SLURM_CPUS SLURM_CPU_BIND SLURM_DEBUG SLURM_EXACT SLURM_GRES SLURM_HINT
    SLURM_JOB_COMMENT SLURM_JOB_EXTRA SLURM_JOB_GROUP SLURM_JOB_MEM SLURM_JOB_NTASKS SLURM_NODE_NAME SLURM_PARTITION
    SLURM_QOS SLURM_ROOT SLURM_HOME SLURM_TIMELIMIT SLURM_TMPDIR SLURM_UID SLURM_VERSION SLURM_WAIT SLURM_STEP
    SLURM_JOBS SLURM_NODES SLURM_TASKS SLURM_USER SLURM_NAME
""")
"""Variables that Slurm's commands read, that sites set, and that scripts have of their own."""
