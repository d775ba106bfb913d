// Known words and what to do about them. The first row that fits wins: causes stand before the
// complaints that follow from them.
#include "simulator/why/diagnosis.hpp"

#include <array>

namespace shed {

namespace {

struct Row {
    std::string_view words, hint;
};

constexpr auto rows = std::to_array<Row>({
    // ---- ssh and keys
    {"UNPROTECTED PRIVATE KEY FILE",
     "the private key may be read by others: the Secret's items need mode 0600, or 0640 with fsGroup"},
    {"no hostkeys available", "sshd found no usable host key: look at the mode of the ssh Secret's items"},
    {"Permission denied (publickey",
     "the worker does not accept this key: is the Secret of ssh keys the job's own, and the account not locked?"},
    {"Host key verification failed", "ssh does not know the worker's host key: StrictHostKeyChecking no in ssh_config"},
    {"Could not resolve hostname",
     "the name has no address yet: network.publishNotReadyAddresses: true, or a typing error in the hostfile"},
    {"Connection refused", "nobody listens there: has the worker's sshd ended? See the log of its pod (step node-1 ...)"},
    {"banner exchange", "sshd took the connection and said nothing: ConnectTimeout in OMPI_MCA_plm_rsh_args"},
    // ---- mpirun
    {"There are not enough slots",
     "mpirun wants more ranks than there are slots: numNodes times numProcPerNode bounds -n"},
    {"ORTE has lost communication with a remote daemon", "a worker pod, or mpirun's daemon in it, died: see its events"},
    {"exited on signal 9",
     "the rank was killed: out of memory (kubectl describe node, dmesg), or someone's kill -9"},
    {"exited on signal 11", "the rank crashed (segmentation fault): run it alone to see where"},
    {"exited on signal 15", "the rank was told to end: by a deletion, a suspension or someone's kill"},
    {"No such file or directory: 'mpirun'", "the image has no Open MPI: trainshed image inspect IMAGE"},
    // ---- Python
    {"CUDA out of memory", "a smaller batch, or a GPU of its own for each rank"},
    {"ncclSystemError", "NCCL_DEBUG=INFO in the trainer's env shows what NCCL found"},
    {"Address already in use", "another process of this pod listens on that port"},
    {"ERROR: Failed to install Python packages",
     "pip found no index: is PyPI, or the index in pip_index_urls, reachable from here?"},
    {"MemoryError", "it ran out of memory: smaller batches, or fewer ranks on this machine"},
    // ---- Kubernetes
    {"Insufficient nvidia.com/gpu", "more GPUs: trainshed up --nodes N, or without --fake-gpus"},
    {"Insufficient cpu", "smaller requests, or trainshed up without --strict-resources"},
    {"Insufficient memory", "smaller requests, or trainshed up without --strict-resources"},
    {"didn't match Pod's node affinity/selector", "no node has these labels: kubectl get nodes --show-labels"},
    {"untolerated taint", "kubectl describe nodes shows the taints; the pod needs a toleration"},
    {"no local environment stands for image", "trainshed image list; add a pattern to ~/.config/trainshed/images.yaml"},
    {"is not built", "build it once: trainshed image build NAME"},
    {"secret \"", "the pod waits for a Secret that is not there: kubectl get secrets"},
    {"configmap \"", "the pod waits for a ConfigMap that is not there: kubectl get configmaps"},
    {"executable file not found", "the image has no such program: trainshed image inspect IMAGE"},
    {"DeadlineExceeded", "it ran longer than activeDeadlineSeconds allows"},
    {"active longer than specified deadline", "it ran longer than activeDeadlineSeconds allows"},
    {"command not found", "the image has no such program: trainshed image inspect IMAGE"},
});

// "No module named 'a.b'": the package is most likely called a.
std::string missing_module(std::string_view text) {
    static constexpr std::string_view words = "No module named '";
    const auto at = text.find(words);
    if (at == std::string_view::npos) return "";
    const std::string_view name = text.substr(at + words.size());
    return std::string(name.substr(0, name.find_first_of(".'")));
}

// The initializers of share/trainshed end with "initializer: URI: cause; next step".
std::string initializers_step(std::string_view text) {
    static constexpr std::string_view words = "initializer: ";
    const auto at = text.rfind(words);
    if (at == std::string_view::npos || (at > 0 && text[at - 1] != '\n')) return "";
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const auto step = line.rfind("; ");
    return step == std::string_view::npos ? "" : std::string(line.substr(step + 2));
}

}  // namespace

std::string hint_for(std::string_view text) {
    if (std::string step = initializers_step(text); !step.empty()) return step;
    if (const std::string module = missing_module(text); !module.empty())
        return "the image has no Python module " + module + ": packages_to_install=[\"" + module +
               "\"] in CustomTrainer";
    for (const Row& row : rows)
        if (text.find(row.words) != std::string_view::npos) return std::string(row.hint);
    return "";
}

std::string hint_for_exit(int exit_code, int signal) {
    if (signal == 9 || exit_code == 137)
        return "it was killed (SIGKILL): out of memory, or someone's kill -9";
    if (signal == 15 || exit_code == 143) return "it was told to end (SIGTERM)";
    if (signal == 11 || exit_code == 139) return "it crashed (SIGSEGV)";
    if (exit_code == 127) return "the shell found no such program: trainshed image inspect IMAGE";
    if (exit_code == 126) return "the program may not be executed: look at its mode";
    return "";
}

}  // namespace shed
