/*
 * renumber: gives the chunk at an offset of a snapshot another type, and the checksum of its
 * header for it: `renumber FILE OFFSET TYPE`.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "snap/format.h"

int main(int argc, char **argv)
{
	struct snap_chunk_header header;
	if (argc != 4)
		return 2;
	int fd = open(argv[1], O_RDWR | O_CLOEXEC);
	off_t offset = (off_t)strtoll(argv[2], NULL, 10);
	if (fd < 0 || pread(fd, &header, sizeof(header), offset) != sizeof(header))
		return 1;
	header.type = (uint32_t)strtoul(argv[3], NULL, 10);
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	if (pwrite(fd, &header, sizeof(header), offset) != sizeof(header))
		return 1;
	return close(fd) != 0;
}
