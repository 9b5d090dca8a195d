#!/usr/bin/env bash
# Gradescope runs this once, as root, to build the image in which every upload is graded.
# If AUTOGRADER_PYTHON names a Python that has everything, nothing is installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${AUTOGRADER_PYTHON:-}

if [ -z "$python" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends python3 python3-venv
  # In /opt, where the unprivileged user that runs the submission can read the libraries only.
  if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python3 -m venv /opt/autograder
  else # Ubuntu 22.04
    apt-get install -y -qq --no-install-recommends python3-pip
    python3 -m pip install --quiet uv
    UV_PYTHON_INSTALL_DIR=/opt/python python3 -m uv venv --quiet --seed --python 3.12 /opt/autograder
  fi
  python=/opt/autograder/bin/python
  pip=("$python" -m pip install --quiet --no-cache-dir --constraint "$here/constraints.txt")
  "${pip[@]}" --index-url https://download.pytorch.org/whl/cpu torch torchvision # 4 GB less than with GPU libraries
  "${pip[@]}" --requirement "$here/requirements.txt"
  rm -rf /var/lib/apt/lists/*
fi

export PYTHONPATH=$here
"$python" -m compileall -q "$here/autograder"
# Test the image: the reference must get full points, or the build stops here.
"$python" -m autograder grade "$here/autograder/assignments/ASSIGNMENT/solution" --min-score MAX_SCORE
"$python" -m autograder doctor
