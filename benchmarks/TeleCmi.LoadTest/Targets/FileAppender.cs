using System.Threading.Channels;

namespace TeleCmi.LoadTest.Targets;

/// <summary>
/// The physical limit: appends bytes to a file and flushes them to the disk before it says so. Grouped, everything that waits is
/// flushed at once; otherwise each body by itself.
/// </summary>
internal sealed class FileAppender : IAsyncDisposable
{
    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly FileStream _file;
    private readonly int _most;
    private readonly Task _writing;

    public FileAppender(string file, bool isGrouped)
    {
        _file = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _most = isGrouped ? int.MaxValue : 1;
        _writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public Task AppendAsync(byte[] bytes)
    {
        var pending = new Pending(bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _pending.Writer.TryWrite(pending);
        return pending.Done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _pending.Writer.Complete();
        await _writing;
        await _file.DisposeAsync();
    }

    private void Write()
    {
        var group = new List<Pending>();
        using var buffer = new MemoryStream();
        while (_pending.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < _most && _pending.Reader.TryRead(out var pending))
            {
                buffer.Write(pending.Bytes);
                group.Add(pending);
            }

            _file.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
            _file.Flush(flushToDisk: true);
            group.ForEach(pending => pending.Done.SetResult());
            group.Clear();
            buffer.SetLength(0);
        }
    }

    private sealed record Pending(byte[] Bytes, TaskCompletionSource Done);
}
