#pragma once
// The words between the kubelet and podinit. podinit links only libc; this header is all they share.
//
// `podinit holder DIR [ALSO [SHARED...]]` is started once per cluster by trainshed with a pipe on fd 3, the lifeline: nobody writes to it;
// end of file means the owner died. It
//   1. makes a user namespace (identity map by how it was started, below), and in it a PID, network, mount, IPC and UTS
//      namespace; a small part of it stays outside as the keeper, which removes DIR when everything else is gone;
//   2. in the network namespace raises lo and a bridge with GATEWAY/16, the API's service address and the DNS address;
//   3. listens on DIR/holder.sock (SOCK_SEQPACKET, 0600) and writes one line `ready ...` or `failed <why>` to fd 4.
// Every process of every pod descends from the holder, which is PID 1 of the cluster's PID namespace: if it dies, the
// kernel kills them all. When the lifeline ends, it stops all pods (SIGTERM, 2 s, SIGKILL), removes what it made in DIR,
// and exits; the keeper then removes the control groups that ALSO/cgroups names, and the rest of DIR.
//
// Identity map: root writes inner 0..65535 -> outer RANGE_BASE.. (never outer 0); an ordinary user with an /etc/subuid
// and /etc/subgid entry gets inner 0 -> self, 1.. -> the range by newuidmap; else inner 1000 -> self alone ("single").
// The ready line is: `ready map=root|range|single base=N` .
//
// A packet is a command line of space-separated words without spaces in them; long data goes by file. The reply is one
// packet: `ok [words]` or `error <text>`, carrying descriptors by SCM_RIGHTS where noted. Unasked packets begin `event`.
// A command has at most 64 KiB and 8 descriptors.
//
//   files SPEC              file operations as inner root, see below                            -> ok
//   sandbox UID SPEC        pod sandbox: network namespace with veth on the bridge, IPC, UTS    -> ok PID
//   container UID NAME ATTEMPT SPEC   starts a container in the sandbox; carries descriptors of
//                           the cgroup.procs files of the control groups its main process joins   -> ok PID
//   exec UID NAME ID SPEC   runs a command in a running container; carries 3 descriptors
//                           (stdin, stdout, stderr), then those of its control groups           -> ok PID
//   stream UID NAME ID SPEC   the same on pipes or a terminal made inside, which the SPEC asks for (carries those of
//                           the groups only); gives their other ends, in that order, or the terminal alone
//                                                                                              -> ok PID + descriptors
//   end-exec UID ID         kills such a command and its session                                -> ok
//   input UID NAME          the standard input of a container that has one, or its terminal   -> ok + descriptor
//   end-input UID NAME      its input ends when all copies of that descriptor are closed      -> ok
//   signal UID NAME SIGNO   to the container's main process                                     -> ok
//   stop UID NAME GRACE_MS  SIGTERM, after the grace SIGKILL to all in it                       -> ok (at once)
//   remove UID              kills the pod's sandbox and everything in it, frees its address     -> ok (when gone)
//   listen ADDRESS PORT     a listening TCP socket in the cluster's network namespace           -> ok + descriptor
//   connect ADDRESS PORT    a non-blocking TCP socket already connecting there                  -> ok + descriptor
//   dial UID PORT 4|6       the same, to the pod's own loopback address                         -> ok + descriptor
//   dns                     reload DIR/dns                                                      -> ok
//   quit                    as if the lifeline had ended
//
//   event exited UID NAME ATTEMPT CODE SIGNAL     also in the exit file, which is written first
//   event exec UID ID CODE SIGNAL
//   event sandbox UID                             the sandbox died by itself, and everything in it; comes before the exits
//
// A SPEC is a file of records, each `word NUL word NUL ... NUL NUL` (fields end in NUL, a record in an empty field), so
// that any byte but NUL may appear in a value. Unknown records are errors. Numbers are decimal, modes octal, of digits
// only; anything else is refused by its field's name.
//
// files records, executed in order, all paths absolute in the host's view, as inner root:
//   mkdir PATH MODE UID GID | file PATH MODE UID GID CONTENT | link PATH TARGET | rmtree PATH | rename FROM TO |
//   whiteout PATH (of an overlay) | tmpfs PATH OPTIONS (for all containers; one that is there stays) |
//   unmount PATH (also when nothing is mounted)
//   In a single map ownership is left alone and modes are masked with 07700 (sshd and ssh insist; see docs/adr).
// sandbox records:
//   hostname NAME | address IPV4 (in GATEWAY/16) | host-network, host-ipc, host-pid (shares the
//   cluster's namespace) | share-pid (one PID namespace for all containers of the pod) | sysctl NAME VALUE
// container records:
//   arg WORD ... (one per argument, in order) | env NAME=VALUE | cwd PATH | uid N | gid N | group N (supplementary)
//   log PATH            CRI log file, appended: `<RFC3339Nano> stdout|stderr F|P <text>`
//   exit PATH           written (rename) when the main process ends: `CODE SIGNAL START_NS END_NS\n` (Unix nanoseconds)
//   processes N         RLIMIT_NPROC, in a user namespace of its own so that it counts this container's processes only
//                       (Linux 5.14 and later). Of no effect on root and on who keeps capabilities: these are not
//                       good outside of their user namespace
//   rlimit nofile|nproc|core|memlock|stack|as SOFT HARD | keep-cap N, drop-cap N (capability) |
//   readonly-root [TARGET...] (and these mounts, but not what is mounted below)
//   The root file system is built in a fresh mount namespace by these records, in order; TARGET is the path in the pod:
//   dir TARGET MODE | symlink TARGET TO | bind SOURCE TARGET ro|rw (recursive) | beneath SOURCE TARGET ro|rw make|keep
//   BELOW... (what BELOW is in the directory SOURCE, each beneath the one before, also while its links change; the last is
//   made when it is missing, or kept from being) | overlay TARGET LOWER... (read-only; first LOWER on top) | tmpfs TARGET OPTIONS | proc | sys | dev (private: null zero full random urandom tty, pts, shm,
//   fd links; mqueue) | device SOURCE TARGET | shared N TARGET ro|rw [BELOW...] (the N-th SHARED, or what BELOW is in it;
//   the pods' ids need not be able to reach it by its path) | shared N TARGET cache VIEW UID GID [NAME...] (read-only, and at VIEW a tree that UID may
//   change: copies of directories and small files, links to larger ones, without NAME). A missing TARGET is made when its parent is writable; a missing SOURCE is an
//   error that names both.
// exec records: arg, env, cwd, uid, gid, group, rlimit, keep-cap, drop-cap; of a stream also stdin, stdout, stderr, or tty.
namespace shed::podinit {

inline constexpr const char* groups_file = "cgroups";  // beside DIR: a directory a line, all the cluster's control groups
inline constexpr int lifeline_fd = 3;
inline constexpr int ready_fd = 4;
inline constexpr const char* gateway = "10.244.0.1";        // of the pods' 10.244.0.0/16
inline constexpr const char* api_address = "10.96.0.1";     // kubernetes.default.svc
inline constexpr const char* dns_address = "10.96.0.10";
inline constexpr const char* host_address = "10.96.0.2";    // host.trainshed.internal
inline constexpr long range_base = 1'000'000'000;           // root's map: far above /etc/subuid's usual ranges
inline constexpr int lifeline_grace_ms = 2000;

// DIR/dns: one record a line, `NAME ADDRESS` (A, TTL 5) or `NAME -` (known, no address: NOERROR without answers).
// Names are lower case and fully qualified without the last dot. All others are NXDOMAIN at once.

}  // namespace shed::podinit
