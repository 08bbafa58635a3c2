//! bpf(2)'s attributes, command by command.

use super::{Field::*, layouts};
use crate::syscall::words::bpf as words;

layouts! {
    /// BPF_MAP_CREATE, before the node of memory.
    pub MAP_CREATE {
        map_type: Enum32(&words::MAP_TYPES), key_size: U32, value_size: U32, max_entries: U32,
        map_flags: Flags32(&words::MAP_FLAGS), inner_map_fd: Fd,
    }
    /// What follows the node.
    pub MAP_CREATE_REST {
        map_name: Text(16), map_ifindex: Interface, btf_fd: Fd, btf_key_type_id: U32, btf_value_type_id: U32,
        btf_vmlinux_value_type_id: U32, map_extra: U64,
    }
    /// BPF_MAP_LOOKUP_ELEM.
    pub LOOKUP { map_fd: Fd, key: Addr64, value: Addr64, flags: Flags64(&words::LOOKUP) }
    /// BPF_MAP_UPDATE_ELEM.
    pub UPDATE { map_fd: Fd, key: Addr64, value: Addr64, flags: Enum64(&words::UPDATE) }
    /// BPF_MAP_DELETE_ELEM.
    pub DELETE { map_fd: Fd, key: Addr64 }
    /// BPF_MAP_GET_NEXT_KEY.
    pub NEXT_KEY { map_fd: Fd, key: Addr64, next_key: Addr64 }
    /// BPF_MAP_FREEZE.
    pub FREEZE { map_fd: Fd }
    /// BPF_PROG_LOAD behind the log's address.
    pub PROG_REST {
        kern_version: Version, prog_flags: Flags32(&words::PROG_FLAGS), prog_name: Text(16), prog_ifindex: Interface,
        expected_attach_type: Enum32(&words::ATTACH_TYPES), prog_btf_fd: Fd, func_info_rec_size: U32, func_info: Addr64,
        func_info_cnt: U32, line_info_rec_size: U32, line_info: Addr64, line_info_cnt: U32, attach_btf_id: U32,
        attach_prog_fd: Fd, pad: Pad(4), fd_array: Addr64,
    }
    /// BPF_OBJ_PIN and BPF_OBJ_GET behind the path.
    pub PIN_REST { bpf_fd: Fd, file_flags: Flags32(&words::FILE_MODE) }
    /// BPF_PROG_ATTACH.
    pub ATTACH {
        target_fd: Fd, attach_bpf_fd: Fd, attach_type: Enum32(&words::ATTACH_TYPES),
        attach_flags: Flags32(&words::ATTACH_FLAGS), replace_bpf_fd: Fd,
    }
    /// BPF_PROG_DETACH.
    pub DETACH { target_fd: Fd, dummy: Pad(4), attach_type: Enum32(&words::ATTACH_TYPES) }
    /// BPF_PROG_TEST_RUN.
    pub TEST_RUN {
        prog_fd: Fd, retval: U32, data_size_in: U32, data_size_out: U32, data_in: Addr64, data_out: Addr64, repeat: U32,
        duration: U32, ctx_size_in: U32, ctx_size_out: U32, ctx_in: Addr64, ctx_out: Addr64,
        flags: Flags32(&words::TEST_RUN), cpu: U32, batch_size: U32,
    }
    /// BPF_PROG_GET_FD_BY_ID.
    pub PROG_BY_ID { prog_id: U32, next_id: U32, open_flags: Flags32(&words::FILE_MODE) }
    /// BPF_MAP_GET_FD_BY_ID.
    pub MAP_BY_ID { map_id: U32, next_id: U32, open_flags: Flags32(&words::FILE_MODE) }
    /// BPF_BTF_GET_FD_BY_ID.
    pub BTF_BY_ID { btf_id: U32 }
    /// BPF_LINK_GET_FD_BY_ID.
    pub LINK_BY_ID { link_id: U32 }
    /// BPF_RAW_TRACEPOINT_OPEN behind the name.
    pub TRACEPOINT_REST { prog_fd: Fd }
    /// BPF_BTF_LOAD behind the data.
    pub BTF_REST { btf_log_buf: Addr64, btf_size: U32, btf_log_size: U32, btf_log_level: U32 }
    /// BPF_PROG_QUERY up to the programs.
    pub QUERY {
        target_fd: Fd, attach_type: Enum32(&words::ATTACH_TYPES), query_flags: Flags32(&words::QUERY),
        attach_flags: Flags32(&words::ATTACH_FLAGS),
    }
    /// BPF_TASK_FD_QUERY up to the buffer's length.
    pub TASK_QUERY { pid: I32, fd: Fd, flags: U32 }
    /// What it answers behind the buffer.
    pub TASK_ANSWER { prog_id: U32, fd_type: Enum32(&words::TASK_FD), probe_offset: Hex64, probe_addr: Hex64 }
    /// BPF_MAP_LOOKUP_BATCH.
    pub BATCH_LOOKUP {
        in_batch: Addr64, out_batch: Addr64, keys: Addr64, values: Addr64, count: U32, map_fd: Fd,
        elem_flags: Flags64(&words::LOOKUP), flags: Hex64,
    }
    /// BPF_MAP_UPDATE_BATCH.
    pub BATCH_UPDATE {
        unused: Pad(16), keys: Addr64, values: Addr64, count: U32, map_fd: Fd, elem_flags: Flags64(&words::LOOKUP),
        flags: Hex64,
    }
    /// BPF_MAP_DELETE_BATCH.
    pub BATCH_DELETE {
        unused: Pad(16), keys: Addr64, values: Pad(8), count: U32, map_fd: Fd, elem_flags: Flags64(&words::LOOKUP),
        flags: Hex64,
    }
    /// BPF_LINK_CREATE up to what depends on the type.
    pub LINK_CREATE {
        prog_fd: Fd, target_fd: Fd, attach_type: Enum32(&words::ATTACH_TYPES), flags: Hex32,
    }
    /// BPF_LINK_UPDATE up to the program that is replaced.
    pub LINK_UPDATE { link_fd: Fd, new_prog_fd: Fd, flags: Flags32(&words::ATTACH_FLAGS) }
}
