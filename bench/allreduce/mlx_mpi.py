"""MPI beside MLX, for mlx_allreduce.py: the library that MLX loaded, asked through ctypes.

MLX has no barrier and does not say what MPI does under it. Calls go by PMPI_ names, so that a library that
interposes collectives (pace/) sees MLX's and no others. Open MPI only, as MLX. What each fact means, and how
it is found out, is said in transport.hpp and mca.hpp: this is the same, in Python.
"""

import ctypes
import os
import re
import resource
import struct

LIBRARY = os.environ.get("MLX_MPI_LIBNAME", "libmpi.so")
PROBE_FLOATS = 1 << 18
PROBE_BYTES_MIN = 1 << 16
DUMP_SIMPLE = 2  # MCA_BASE_VAR_DUMP_SIMPLE
RUNTIME_OWN = re.compile(
    r"(orte_)?ess|pmix|orte_(tmpdir_base|top_session_dir|jobfam_session_dir|hnp_uri|local_daemon_uri|app_num|num_nodes)$"
    r"|mpi_oversubscribe$"
)


class Mpi:
    """After mx.distributed.init(backend="mpi")."""

    def __init__(self):
        self.library = ctypes.CDLL(LIBRARY)
        self.world = self._handle("ompi_mpi_comm_world")
        self.rank = self._ask("PMPI_Comm_rank")
        self.size = self._ask("PMPI_Comm_size")

    def _handle(self, name):
        return ctypes.byref(ctypes.c_char.in_dll(self.library, name))

    def _ask(self, function):
        value = ctypes.c_int()
        getattr(self.library, function)(self.world, ctypes.byref(value))
        return value.value

    def barrier(self):
        self.library.PMPI_Barrier(self.world)

    def finalize(self):
        self.library.PMPI_Finalize()

    def _reduced(self, values, op):
        array = (ctypes.c_double * len(values))(*values)
        in_place, double = ctypes.c_void_p(1), self._handle("ompi_mpi_double")  # MPI_IN_PLACE of Open MPI
        self.library.PMPI_Allreduce(in_place, array, len(values), double, self._handle(op), self.world)
        return list(array)

    def max(self, values):
        return self._reduced(values, "ompi_mpi_op_max")

    def sum(self, values):
        return self._reduced(values, "ompi_mpi_op_sum")

    def from_first(self, value):
        number = ctypes.c_int(value)
        self.library.PMPI_Bcast(ctypes.byref(number), 1, self._handle("ompi_mpi_int"), 0, self.world)
        return number.value

    def gather(self, text):
        """By rank; at most 255 bytes of each."""
        mine = ctypes.create_string_buffer(text.encode()[:255], 256)
        everyone = ctypes.create_string_buffer(256 * self.size)
        byte = self._handle("ompi_mpi_byte")
        self.library.PMPI_Allgather(mine, 256, byte, everyone, 256, byte, self.world)
        return [everyone.raw[i : i + 256].split(b"\0")[0].decode() for i in range(0, len(everyone), 256)]

    def any(self, value):
        return self.max([1.0 if value else 0.0])[0] > 0

    def version(self):
        text, length = ctypes.create_string_buffer(256), ctypes.c_int()
        self.library.PMPI_Get_library_version(text, ctypes.byref(length))
        return text.value.decode().split("\n")[0]

    def symbol(self, name):
        """A function of the library or of what it loaded; nothing when there is none."""
        return getattr(self.library, name, None)

    def transports(self):
        if self.size == 1:
            return ["self"]
        before = tcp_bytes_moved()
        self.sum([1.0] * (PROBE_FLOATS // 2))
        with open("/proc/self/maps") as file:
            maps = file.read()
        kinds = [("vader", "vader_segment"), ("sm", "sm_segment")]
        names = [name for name, segment in kinds if self.any(count_segments(maps, segment) > 1)]
        if self.any(tcp_bytes_moved() - before >= PROBE_BYTES_MIN):
            names.append("tcp")
        return names or ["unknown"]

    def parameters(self):
        """(name, value, source) of each MCA parameter; none without mca_base_var_dump."""
        count, dump = self.symbol("mca_base_var_get_count"), self.symbol("mca_base_var_dump")
        for index in range(count() if count and dump else 0):
            lines = ctypes.POINTER(ctypes.c_char_p)()  # a few bytes that are not freed
            if dump(index, ctypes.byref(lines), DUMP_SIMPLE) == 0 and lines and lines[0]:
                yield from parse_parameter(lines[0].decode())

    def yields_when_idle(self):
        set_yield = self.symbol("opal_progress_set_yield_when_idle")
        if not set_yield:
            return dict((name, value) for name, value, _ in self.parameters()).get("mpi_yield_when_idle") == "true"
        set_yield.restype, set_yield.argtypes = ctypes.c_bool, [ctypes.c_bool]
        yields = set_yield(True)
        set_yield(yields)
        return yields


class Pacing:
    """The pacing library, where MLX loaded it; else zeros."""

    def __init__(self, library):
        def function(name, result):
            found = getattr(library, name, None)
            if found:
                found.restype = result
            return found

        self._calls = function("trainshed_pace_calls", ctypes.c_uint64)
        self._infeasible = function("trainshed_pace_infeasible", ctypes.c_uint64)
        self._target_us = function("trainshed_pace_target_us", ctypes.c_double)
        link = function("trainshed_pace_link", ctypes.c_char_p)
        self.link = link().decode() if link else ""

    def counts(self):
        return [float(self._infeasible()), float(self._calls())] if self.link else [0.0, 0.0]

    def target_us(self, ranks, size):
        return self._target_us(ranks, ctypes.c_size_t(size)) if self.link else None


def parse_parameter(line):
    """Of "name=value (source)"; a file's source has a parenthesis of its own and a line number."""
    found = re.fullmatch(r"([^=]+)=(.*) \(file \((.*?)(?::\d+)?\)\)", line)
    if found:
        yield found[1], found[2], f"file {found[3]}"
    elif found := re.fullmatch(r"([^=]+)=(.*) \(([^()]*)\)", line):
        yield found[1], found[2], found[3]


def set_parameters(parameters):
    """Those that someone set. mpirun passes --mca down in the environment; its command line tells."""
    typed = names_on_command_line()
    for name, value, source in parameters:
        if source != "default" and not RUNTIME_OWN.match(name):
            by_hand = source == "environment" and name in typed
            yield {"name": name, "value": value, "source": "command line" if by_hand else source}


def names_on_command_line():
    with open(f"/proc/{os.getppid()}/cmdline") as file:
        words = file.read().split("\0")
    if not re.fullmatch(r"(mpirun|mpiexec|orterun|prterun)(\.openmpi)?", os.path.basename(words[0])):
        return set()
    return {after for word, after in zip(words, words[1:]) if re.fullmatch(r"--?g?mca|--omca", word)}


def count_segments(maps, kind):
    return len(set(re.findall(rf"/dev/shm/{kind}[^\n]*", maps)))


def tcp_bytes_moved():
    """Sent and received on all TCP sockets of this process: tcpi_bytes_sent and _received of linux/tcp.h."""
    libc, total = ctypes.CDLL(None), 0
    for name in os.listdir("/proc/self/fd"):
        info, size = ctypes.create_string_buffer(256), ctypes.c_int(256)
        if libc.getsockopt(int(name), 6, 11, info, ctypes.byref(size)) == 0 and size.value >= 208:  # TCP_INFO
            total += struct.unpack_from("<Q", info, 128)[0] + struct.unpack_from("<Q", info, 200)[0]
    return total


def machine_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def cpu_seconds():
    """(busy, total) of the machine and what this process used, in seconds."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    scale, used = os.sysconf("SC_CLK_TCK"), resource.getrusage(resource.RUSAGE_SELF)
    return (sum(ticks) - ticks[3] - ticks[4]) / scale, sum(ticks) / scale, used.ru_utime + used.ru_stime


def other_cpu_share(mpi, before, after):
    """The share of CPU time that no rank used, on the machine where it was largest."""
    mine = [b - a for a, b in zip(before, after)]
    machines = {}
    for text in mpi.gather(f"{machine_id()} {mine[0]} {mine[1]} {mine[2]}"):
        machine, busy, total, own = text.split()
        first = machines.setdefault(machine, [float(busy), float(total), 0.0])
        first[2] += float(own)
    shares = [(busy - own) / total for busy, total, own in machines.values() if total > 0]
    return min(1.0, max([0.0, *shares]))
