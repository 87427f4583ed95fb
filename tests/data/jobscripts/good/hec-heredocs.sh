#!/bin/bash
# What looks like a slip in a comment, a string or a here-document is none: RScript, module activate, conda activate
#SBATCH --partition=parallel   # the queue; #SBATCH --nonsense here is a comment
#SBATCH --job-name="words and quotes"
#SBATCH --comment='costs $5 of $HOME'
#SBATCH -c8 --mem 2G -t 0-01:30
##SBATCH --partition=switched-off

source /etc/profile
module -s add R/4.3.1 # not: module activate R
cat > notes.txt <<'NOTES'
RScript analysis.R
module activate miniforge
#SBATCH --partition=none
NOTES
cat <<-EOF | while read -r line; do
	conda activate nothing; RScript "$HOME"
	#SBATCH --time=9-00:00:00
	EOF
    echo "read: $line, never RScript"
done
sbatch --parsable <<'INNER'
#!/bin/bash
#SBATCH --partition=serial
#SBATCH --output=$HOME/nowhere/%j.out
RScript inner.R
INNER
case ${1-} in
RScript | rscript) echo 'RScript is misspelt; module activate too' ;;
*) echo "conda activate is in a string" ;;
esac
[[ $1 == RScript && -n ${x:-"module activate"} ]] && echo `printf '%s' 'conda activate'`
words=(RScript module "activate" # RScript
    conda activate)
echo "${words[@]}" $((1 << 2)) # << EOF is no here-document there
Rscript -e 'cat(parallelly::availableCores(), "detectCores()\n") # detectCores()'
