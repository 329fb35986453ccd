using System.Buffers.Binary;

namespace TeleCmi.Pipeline.Storage;

/// <summary>
/// Holds what is too much for memory while it is worked on: the first megabyte in memory, all of it in a temporary file once there are
/// more. The file loses its name as soon as it is open: nobody else can open it, and it is gone with the process, however that ends.
/// </summary>
internal sealed class Spool(int mostInMemory = Spool.MostInMemory, string? folder = null) : IDisposable
{
    private const int MostInMemory = 1024 * 1024;

    private readonly string _folder = folder ?? Path.GetTempPath();
    private readonly Lock _turn = new();
    private Stream _content = new MemoryStream();

    /// <summary>Takes a record.</summary>
    /// <returns>Where it is, for <see cref="Read"/>.</returns>
    /// <exception cref="StorageException">The temporary file cannot be written.</exception>
    public long Add(ReadOnlySpan<byte> record)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, record.Length);
        lock (_turn)
        {
            try
            {
                if (_content is MemoryStream && _content.Length + record.Length > mostInMemory)
                {
                    MoveToFile();
                }

                var place = _content.Seek(0, SeekOrigin.End);
                _content.Write(length);
                _content.Write(record);
                return place;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unusable(e);
            }
        }
    }

    /// <summary>A record, as it was added.</summary>
    /// <exception cref="StorageException">The temporary file cannot be read.</exception>
    public byte[] Read(long place)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        lock (_turn)
        {
            try
            {
                _content.Position = place;
                _content.ReadExactly(length);
                var record = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
                _content.ReadExactly(record);
                return record;
            }
            catch (IOException e)
            {
                throw Unusable(e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _content.Dispose();

    private StorageException Unusable(Exception reason) => new(
        $"The temporary file that holds a day's calls while they are read cannot be used ({reason.Message.TrimEnd('.')}): make room in {_folder}, or set TMPDIR (on Windows: TMP) to another folder.",
        reason);

    private void MoveToFile()
    {
        var path = Path.Combine(_folder, Path.GetRandomFileName());

        // Without a buffer a full disk is noticed by what adds, not by Dispose.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        try
        {
            File.Delete(path);
            ((MemoryStream)_content).WriteTo(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        _content = file;
    }
}
