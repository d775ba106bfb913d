#include "fakes/podinit/keeper.hpp"

#include "fakes/podinit/groups.hpp"
#include "fakes/podinit/holder.hpp"
#include "fakes/podinit/identity.hpp"
#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shed::podinit {

namespace {

int complain(const std::string& why) {
    write_all(ready_fd, "failed " + why + "\n");
    return 1;
}

int remove_contents(const char* directory) { return remove_tree(directory, false) ? 0 : 1; }

void remove_directory(const Identity& identity, const char* directory) {
    // Files of mapped ids are nobody's outside; an ordinary user can only remove them from inside the map.
    if (identity.map == Identity::Map::range) run_inside(identity, remove_contents, directory);
    remove_tree(directory, true);
}

// While the process is still the owner's for the file system, though already in the cluster's mount namespace: a
// directory in root's closed home can be shared, and pods can be given copies of these mounts.
std::string open_shared(const std::vector<std::string>& paths, std::vector<int>& opened) {
    if (::unshare(CLONE_NEWNS) != 0) return failure("make a mount namespace");
    for (const std::string& path : paths) {
        const int descriptor = ::open(path.c_str(), O_PATH | O_CLOEXEC);
        if (descriptor < 0) return failure("share " + path);
        opened.push_back(descriptor);
    }
    return "";
}

// Runs in the child that will become the holder's parent: enters the user namespace, then makes the others.
[[noreturn]] void enter(const Identity& identity, const char* directory, const std::vector<std::string>& paths,
                        int to_parent, int from_parent) {
    char byte = 'x';
    if (::unshare(CLONE_NEWUSER) != 0) {
        complain(failure("make a user namespace"));
        ::_exit(1);
    }
    if (::write(to_parent, &byte, 1) != 1 || ::read(from_parent, &byte, 1) != 1 || byte != 'y') ::_exit(1);
    ::close(to_parent);
    ::close(from_parent);
    std::vector<int> shared;
    std::string error = open_shared(paths, shared);
    if (error.empty()) error = become_inner_root(identity);
    if (!error.empty()) {
        complain(error);
        ::_exit(1);
    }
    // After the ids changed: the kernel forgets the death signal when they do.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
        complain(failure("make PID, network, IPC and UTS namespaces"));
        ::_exit(1);
    }
    const pid_t holder = ::fork();
    if (holder == 0) ::_exit(hold(identity, directory, shared));
    ::close(ready_fd);
    ::close(lifeline_fd);
    int status = 0;
    wait_for(holder, &status);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

int keep(const char* directory, const std::string& also, const std::vector<std::string>& shared) {
    // The owner's terminal and its signals are none of the keeper's business: it ends when the holder has.
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
    const Identity identity = find_identity();
    if (identity.map == Identity::Map::root &&
        ::chown(directory, static_cast<uid_t>(identity.uid_base), static_cast<gid_t>(identity.gid_base)) != 0)
        return complain(failure(std::string("give ") + directory + " to the pods' root"));
    int to_parent[2], to_child[2];
    if (::pipe2(to_parent, O_CLOEXEC) != 0 || ::pipe2(to_child, O_CLOEXEC) != 0) return complain(failure("pipe"));
    const pid_t child = ::fork();
    if (child < 0) return complain(failure("fork"));
    if (child == 0) {
        ::close(to_parent[0]);
        ::close(to_child[1]);
        enter(identity, directory, shared, to_parent[1], to_child[0]);
    }
    ::close(to_parent[1]);
    ::close(to_child[0]);
    ::close(lifeline_fd);
    char byte = 0;
    if (::read(to_parent[0], &byte, 1) == 1) {
        const std::string error = write_maps(identity, child);
        if (!error.empty()) complain(error);
        byte = error.empty() ? 'y' : 'n';
        if (::write(to_child[1], &byte, 1) != 1) ::kill(child, SIGKILL);
    }
    ::close(ready_fd);
    int status = 0;
    wait_for(child, &status);
    // Beside the pods' files, in the cluster's own directory, which may stay.
    const std::string pods = directory;
    remove_groups(pods.substr(0, pods.rfind('/') + 1) + groups_file);
    remove_directory(identity, directory);
    if (!also.empty()) remove_tree(also, true);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int sweep(const char* directory) {
    struct stat info {};
    if (::lstat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) return 0;
    remove_directory(find_identity(), directory);
    return ::access(directory, F_OK) == 0 ? 1 : 0;
}

}  // namespace shed::podinit
