using System.Globalization;
using System.Text;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests;

public sealed class SpoolTests : IDisposable
{
    private const int MostInMemory = 1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("telecmi-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Records_BeyondMemory_ComeBackAsTheyWere_WhateverTheOrder()
    {
        using var spool = new Spool(MostInMemory, _folder);
        var places = new List<long>();
        for (var number = 0; number < 1000; number++)
        {
            places.Add(spool.Add(Record(number)));
            spool.Read(places[number / 2]).ShouldBe(Record(number / 2));
        }

        places.Index().Reverse().ShouldAllBe(place => spool.Read(place.Item).SequenceEqual(Record(place.Index)));
    }

    [Fact]
    public void Records_OfSeveralAtOnce_DoNotMix()
    {
        using var spool = new Spool(MostInMemory, _folder);

        var places = Enumerable.Range(0, 2000).AsParallel().Select(number => (Number: number, Place: spool.Add(Record(number)))).ToList();

        places.AsParallel().All(record => spool.Read(record.Place).SequenceEqual(Record(record.Number))).ShouldBeTrue();
    }

    [Fact]
    public void TemporaryFile_HasNoNameThatOthersCouldOpen()
    {
        using var spool = new Spool(MostInMemory, _folder);
        _ = spool.Add(new byte[MostInMemory]);
        var last = spool.Add(Record(7));

        Directory.EnumerateFileSystemEntries(_folder).ShouldBeEmpty();
        spool.Read(last).ShouldBe(Record(7));
    }

    [Fact]
    public void FewRecords_NeedNoFile()
    {
        using var spool = new Spool(MostInMemory, Path.Combine(_folder, "missing"));

        spool.Read(spool.Add(Record(1))).ShouldBe(Record(1));
    }

    [Fact]
    public void FolderThatIsNotThere_IsSaid_AndWhatWasAddedIsKept()
    {
        var missing = Path.Combine(_folder, "missing");
        using var spool = new Spool(MostInMemory, missing);
        var first = spool.Add(Record(1));

        Should.Throw<StorageException>(() => spool.Add(new byte[MostInMemory])).Message.ShouldContain(missing);

        spool.Read(first).ShouldBe(Record(1));
    }

    private static byte[] Record(int number) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(number.ToString(CultureInfo.InvariantCulture), number % 20)));
}
