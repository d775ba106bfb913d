#!/bin/sh
# The guide's "Configuring GPU Resources for MLX": 1 GPU per training node. `gpu_patch.sh --undo` takes it back.
set -eu

if [ "${1:-}" = --undo ]; then
    exec kubectl patch clustertrainingruntime mlx-distributed \
      --type='json' \
      -p '[
        {
          "op": "remove",
          "path": "/spec/template/spec/replicatedJobs/0/template/spec/template/spec/containers/0/resources"
        },
        {
          "op": "remove",
          "path": "/spec/template/spec/replicatedJobs/1/template/spec/template/spec/containers/0/resources"
        }
      ]'
fi

kubectl patch clustertrainingruntime mlx-distributed \
  --type='json' \
  -p '[
    {
      "op": "add",
      "path": "/spec/template/spec/replicatedJobs/0/template/spec/template/spec/containers/0/resources",
      "value": { "limits": { "nvidia.com/gpu": "1" } }
    },
    {
      "op": "add",
      "path": "/spec/template/spec/replicatedJobs/1/template/spec/template/spec/containers/0/resources",
      "value": { "limits": { "nvidia.com/gpu": "1" } }
    }
  ]'
