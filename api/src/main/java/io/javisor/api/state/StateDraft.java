package io.javisor.api.state;

import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * A saved machine that is being written: in a hidden folder beside the one that it becomes. It appears there whole, by one
 * rename, after everything in it is on stable storage; a process that is killed before leaves the hidden folder, in which there
 * is no {@code machine.state} and which therefore restores to nothing. Closing it without {@link #commit} removes it. For one
 * thread.
 */
public final class StateDraft implements AutoCloseable {
    private final Path target;
    private final Path folder;
    private final List<Leaf> memory = new ArrayList<>();

    private StateDraft(Path target, Path folder) {
        this.target = target;
        this.folder = folder;
    }

    /**
     * Begins a folder.
     *
     * @param wanted the folder that there shall be; nothing is there yet, or an empty folder
     * @throws HypervisorException code {@code saved-state-exists}, or {@code saved-state-write}
     */
    public static StateDraft begin(Path wanted) {
        Path target = wanted.toAbsolutePath().normalize();
        Path parent = target.getParent();
        Path name = target.getFileName();
        if (parent == null || name == null) {
            throw new HypervisorException("saved-state-exists", target + " is not a new folder", "name another");
        }
        try {
            refuseOccupied(target);
            Files.createDirectories(parent);
            return new StateDraft(target, Files.createTempDirectory(parent, "." + name + ".half-"));
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    private static void refuseOccupied(Path target) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(target)) {
            if (entries.iterator().hasNext()) {
                throw occupied(target);
            }
        } catch (NotDirectoryException e) {
            throw occupied(target);
        } catch (NoSuchFileException e) {
            return; // as it should be
        }
    }

    private static HypervisorException occupied(Path target) {
        return new HypervisorException(
                "saved-state-exists",
                target + " is there already, and is no empty folder",
                "name another folder, or remove this one");
    }

    private static HypervisorException failed(Path target, Exception e) {
        return new HypervisorException(
                "saved-state-write",
                "can't save to " + target + ": " + e,
                null,
                0,
                "look for room and for permission to write",
                e);
    }

    /**
     * Writes the memory of the next node, from 0 on.
     *
     * @param wanted whether to go on
     * @throws SaveAbandonedException if not
     */
    public void memory(MemoryBacking backing, boolean compressed, BooleanSupplier wanted) {
        int node = memory.size();
        try {
            MemoryIndex index = MemoryImageWriter.write(folder, node, backing, compressed, wanted);
            memory.add(index.leaf(node));
        } catch (LinuxException e) {
            throw failed(target, e);
        }
    }

    /** Adds the leaves and makes the folder what it shall be. */
    public void commit(Collection<Leaf> leaves) {
        var all = new ArrayList<>(leaves);
        all.addAll(memory);
        try {
            Path half = folder.resolve(StateFile.NAME + ".half");
            Files.write(half, StateFile.encode(all), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try (HostFile file = HostFile.open(half, HostFile.READ_ONLY)) {
                file.sync();
            }
            Files.move(half, folder.resolve(StateFile.NAME), StandardCopyOption.ATOMIC_MOVE);
            sync(folder);
            refuseOccupied(target);
            Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
            Path parent = target.getParent();
            if (parent != null) {
                sync(parent);
            }
        } catch (IOException | LinuxException e) {
            throw failed(target, e);
        }
    }

    private static void sync(Path directory) {
        try (HostFile file = HostFile.open(directory, HostFile.READ_ONLY | HostFile.DIRECTORY)) {
            file.sync();
        }
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            return; // committed
        } catch (IOException e) {
            throw failed(target, e);
        }
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw failed(target, e);
        }
    }
}
